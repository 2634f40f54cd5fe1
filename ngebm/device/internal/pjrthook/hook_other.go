//go:build !linux

package pjrthook

import "errors"

type call struct{}

// Intercept is not implemented here: it is written for Linux's loader.
func Intercept(path, identity string) (string, error) {
	return "", errors.New("programs are changed and kept on Linux only")
}

// Use calls compile.
func Use(_ Handler, compile func() error) error { return compile() }

// Compile is never called.
func (c *Compilation) Compile() (ok bool) { return false }

// Load is never called.
func (c *Compilation) Load(executable []byte) (ok bool) { return false }

// Serialize is never called.
func (c *Compilation) Serialize() (executable []byte, ok bool) { return nil, false }
