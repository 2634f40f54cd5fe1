//go:build !linux

package compilecache

import "errors"

// Intercept is not implemented here: what identifies the processor is known on Linux only.
func Intercept(path, identity string) (string, error) {
	return "", errors.New("compiled programs are kept on Linux only")
}

// Use calls compile.
func (c *Cache) Use(compile func() error) error { return compile() }
