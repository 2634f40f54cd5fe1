package data

import (
	"embed"
	"io/fs"
)

//go:embed *.go format/*.go unpack/*.go
var ownSource embed.FS

// Source is this package's own source, as it was compiled. Results carry a checksum of
// it, so that numbers of other code are not taken for this code's; see ngebm.Source.
func Source() fs.FS { return ownSource }
