//go:build !(linux && amd64)

package cpuconv

import "errors"

// Register is not implemented here.
func Register(path string) error {
	return errors.New("there is code for x86-64 processors on Linux only")
}
