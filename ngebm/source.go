package ngebm

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"go/scanner"
	"go/token"
	"io"
	"io/fs"
	"strings"
	"sync"

	"ngebm/data"
)

// sources is the source of every package below this one that results depend on; package
// data has its own.
//
//go:embed *.go attack/*.go bootstrap/*.go calibration/*.go energy/*.go
//go:embed jem/*.go measure/*.go nets/*.go ood/*.go study/*.go internal/cache/*.go internal/convgrad/*.go internal/explain/*.go
//go:embed internal/innerloop/*.go internal/loop/*.go
//go:embed internal/netgraph/*.go internal/softmax/*.go
var sources embed.FS

// Source identifies the code that this program computes with: the first 12 hex digits of
// a SHA-256 over the source, as it was compiled, of all packages that results depend on.
// Comments, layout and tests do not count. Unlike [Version] it is known everywhere, in a
// notebook's cell, in a test and in a program of another module.
func Source() string { return source() }

var source = sync.OnceValue(hashSource)

func hashSource() string {
	sum := sha256.New()
	for _, fsys := range []fs.FS{data.Source(), sources} {
		err := fs.WalkDir(fsys, ".", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := fs.ReadFile(fsys, path)
			if err == nil {
				fmt.Fprintf(sum, "\n%s\n", path)
				hashTokens(sum, text)
			}
			return err
		})
		if err != nil {
			panic(err) // the files are part of the program
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
}

// hashTokens writes a Go file's tokens, without comments and layout.
func hashTokens(w io.Writer, text []byte) {
	var s scanner.Scanner
	var line []byte
	s.Init(token.NewFileSet().AddFile("", -1, len(text)), text, nil, 0)
	for {
		_, tok, literal := s.Scan()
		switch {
		case tok == token.EOF:
			return
		case tok == token.SEMICOLON: // written, or implied by a line's end
			literal = ""
		}
		line = append(append(append(append(line[:0], tok.String()...), ' '), literal...), '\n')
		w.Write(line) // a hash returns no error
	}
}
