package cpuconv

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"strings"
	"sync"
)

//go:embed *.go *.c *.h
var source embed.FS

// Version identifies the code of this package: the first 12 hex digits of a SHA-256 over its source without tests.
var Version = sync.OnceValue(func() string {
	sum := sha256.New()
	entries, err := source.ReadDir(".")
	if err != nil {
		panic(err) // it is part of the program
	}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		text, err := source.ReadFile(entry.Name())
		if err != nil {
			panic(err)
		}
		sum.Write(text)
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
})
