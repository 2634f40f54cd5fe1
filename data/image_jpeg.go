package data

import (
	"encoding/binary"
	"fmt"
	"image/jpeg"
)

// maxScans bounds the scans of a progressive JPEG, each of which goes over all its pixels: some tens
// of bytes ask for one more. Encoders write up to about ten.
const maxScans = 30

func openJPEG(content []byte) (frame, error) {
	if jpegScans(content) > maxScans {
		return frame{}, fmt.Errorf("it goes more than %d times over its pixels: save it again, without progressive scans", maxScans)
	}
	return standard(true, jpeg.DecodeConfig, jpeg.Decode)(content)
}

// jpegScans counts the scans before the end of a JPEG, up to maxScans + 1.
func jpegScans(content []byte) (scans int) {
	const scan, end = 0xda, 0xd9
	for at := 2; at+4 <= len(content) && scans <= maxScans; {
		marker := content[at+1]
		switch {
		case content[at] != 0xff || marker == 0xff: // coded pixels, or fill bytes
			at++
		case marker == end:
			return scans
		case marker <= 1 || marker >= 0xd0 && marker <= 0xd8: // no length follows
			at += 2
		default:
			if marker == scan {
				scans++
			}
			at += 2 + int(binary.BigEndian.Uint16(content[at+2:]))
		}
	}
	return scans
}
