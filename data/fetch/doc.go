// Package fetch downloads published files into a cache folder, and returns only files that have the
// published checksum.
//
// A [File] has mirrors, a size, a checksum, and the source of that checksum. [File.Get] returns its
// path in the folder. Interrupted downloads resume (HTTP ranges, RFC 9110); dropped connections and
// busy servers are retried; if a mirror fails the next one is used. A file gets its name only when
// it is complete, verified and on disk. Addresses may be plain http, because every file is verified
// by checksum. Next to NAME are
//
//	NAME.part        an unfinished download
//	NAME.part.from   its server, and the server's version mark
//	NAME.lock        the lock under which one process downloads while others wait;
//	                 it ends with the process that holds it
//	NAME.checked     the identity of NAME (inode, size, times) when it was verified, so
//	                 that the checksum is not computed again at each start; only its
//	                 own user trusts it
//
// Other users may share the folder; each of them verifies a file, and [File.Open] opens what was
// verified. Links and other users' files in place of NAME.part are not followed. A mirror is given up
// if it does not respond within 10 s, twice, or sends less than 16 kB in 30 s, five times.
//
// A file that a person puts there under its name counts like a downloaded one, once it is verified.
// With Options.Offline nothing is downloaded, and the error says which file to put where.
package fetch
