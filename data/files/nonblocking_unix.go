//go:build unix

package files

import "syscall"

// The flags that keep an open from waiting for a pipe's other end, and from following a
// link in the last element.
const (
	nonBlocking = syscall.O_NONBLOCK
	noFollow    = syscall.O_NOFOLLOW
)
