package data

import (
	"embed"
	"io/fs"
)

//go:embed *.go format/*.go tabular/*.go unpack/*.go
var ownSource embed.FS

// Source returns the source code of this package and of those that it decodes files with, as it was
// compiled. Results carry a checksum of it, so that numbers of other code are recognized; see
// ngebm.Source.
func Source() fs.FS { return ownSource }
