//go:build !unix

package files

// Such systems have no pipes in folders; links are looked for before a file is opened.
const (
	nonBlocking = 0
	noFollow    = 0
)
