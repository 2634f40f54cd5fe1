package format

import "encoding/binary"

// JPEGScans goes over the segments of a JPEG. It returns how many scans it has (a progressive one
// has several, each of which goes over all pixels) and where it ends; end is 0 if that is not
// reached, or if there are more than most scans: it stops at the next one.
func JPEGScans(content []byte, most int) (scans, end int) {
	const startOfScan, endOfImage = 0xda, 0xd9
	for at := 2; at+2 <= len(content); {
		marker := content[at+1]
		switch {
		case content[at] != 0xff || marker == 0xff: // coded pixels, or fill bytes
			at++
		case marker == endOfImage:
			return scans, at + 2
		case marker <= 1 || marker >= 0xd0 && marker <= 0xd8: // no length follows
			at += 2
		case at+4 > len(content):
			return scans, 0
		default:
			if marker == startOfScan {
				scans++
			}
			if scans > most {
				return scans, 0
			}
			at += 2 + int(binary.BigEndian.Uint16(content[at+2:]))
		}
	}
	return scans, 0
}
