package files

import "regexp"

// folders matches the folders of an absolute path. A name may have spaces, but not after a punctuation
// mark. Words after a path that have a slash, as in "/a/b and/or", count as a part of it: better those
// are lost than a folder is named.
var folders = regexp.MustCompile(`(?:^|([\s("':]))/(?:(?:[^/\s()"']*[^/\s()"':;,] +)*[^/\s()"']+/)+`)

// WithoutFolders returns a text with the folders of absolute paths taken out, so that
// what others read names no folder of this machine. The files' names stay.
func WithoutFolders(text string) string { return folders.ReplaceAllString(text, "$1") }
