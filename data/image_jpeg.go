package data

import (
	"fmt"
	"image/jpeg"

	"ngebm/data/format"
)

// maxScans bounds the scans of a progressive JPEG, each of which goes over all its pixels: some tens
// of bytes ask for one more. Encoders write up to about ten.
const maxScans = 30

func openJPEG(content []byte) (frame, error) {
	if scans, _ := format.JPEGScans(content, maxScans); scans > maxScans {
		return frame{}, fmt.Errorf("it goes more than %d times over its pixels: save it again, without progressive scans", maxScans)
	}
	return standard(true, jpeg.DecodeConfig, jpeg.Decode)(content)
}
