// Package fetch brings files that others publish into a cache folder, and hands
// out only such as have the published checksum.
//
// A [File] says what the file is: mirrors, size, checksum, and where that
// checksum was published. [File.Get] gives its path in the folder. It resumes
// with what an earlier attempt left (HTTP ranges, RFC 9110), tries again after
// dropped connections and busy servers, goes to the next mirror when one fails,
// and gives the file its name only when all of it is on disk and right. So the
// final name never stands for half a file or another one. Addresses may be plain
// http, since nothing is taken without the right checksum. Next to NAME are
//
//	NAME.part        what has come of an unfinished download
//	NAME.part.from   which server sent it, and its mark of that version
//	NAME.lock        the lock by which one process downloads and others wait;
//	                 it ends with the process that holds it
//	NAME.checked     what identifies NAME (inode, size, times)
//	                 when its checksum was found right, so that it is not computed
//	                 again at each start; only its own user believes it
//
// The folder may be shared with other users, each of whom checks a file for himself.
// Links and files of others in place of NAME.part are not followed. A server that does
// not answer for 10 s, twice, or sends less than 16 kB in 30 s, five times, is given up.
//
// A file that a person puts there under its name counts like a downloaded one,
// once its checksum is right. With Options.Offline nothing is downloaded, and
// the error says which file to put where.
package fetch
