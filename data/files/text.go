package files

import "regexp"

// folders matches the folders of an absolute path.
var folders = regexp.MustCompile(`(?:^|([\s("':]))/(?:[^/\s()"']+/)+`)

// WithoutFolders returns a text with the folders of absolute paths taken out, so that
// what others read names no folder of this machine. The files' names stay.
func WithoutFolders(text string) string { return folders.ReplaceAllString(text, "$1") }
