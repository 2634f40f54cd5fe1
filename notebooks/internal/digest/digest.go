// Package digest names content by a hash of what it is made from.
package digest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Of names content by what it is made from.
func Of(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d %s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}
