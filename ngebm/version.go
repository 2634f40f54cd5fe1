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
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"ngebm/data"
	"ngebm/data/plain"
)

// module is this module's path.
const module = "ngebm"

// Version says which version of this module's code the program was built from: the
// revision of its repository, with "+modified" where files differed from it, or the
// module's version in a program of another module. Where the build left no trace of
// either, as in tests, in notebooks and with a replaced module, it is "source" and
// [Source].
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		if version := versionOf(info); version != "" {
			return version
		}
	}
	return "source " + Source()
}

// versionOf is empty where the build says nothing.
func versionOf(info *debug.BuildInfo) string {
	if info.Main.Path != module {
		for _, dep := range info.Deps {
			if dep.Path == module && dep.Replace == nil && dep.Version != "(devel)" {
				return dep.Version
			}
		}
		return ""
	}
	revision, modified := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "+modified"
		}
	}
	if revision == "" {
		return ""
	}
	return revision + modified
}

// Machine names the kind of machine that the program runs on, "linux/amd64, 2 processors, AMD EPYC
// (family 25, model 17)", not which one it is.
func Machine() string {
	machine := fmt.Sprintf("%s/%s, %s", runtime.GOOS, runtime.GOARCH, processors(runtime.NumCPU()))
	if Processor() != "" {
		machine += ", " + Processor()
	}
	return machine
}

// processors is a number of them, in words.
func processors(n int) string {
	if n == 1 {
		return "1 processor"
	}
	return fmt.Sprintf("%d processors", n)
}

// Processor names the kind of processor that the program runs on, "AMD EPYC (family 25, model 17)".
// Kinds round differently. It is empty where the system does not say: Linux on x86 does.
func Processor() string { return processor() }

var processor = sync.OnceValue(func() string {
	cpuinfo, _ := os.ReadFile("/proc/cpuinfo")
	return processorIn(string(cpuinfo))
})

// processorIn is the first processor of /proc/cpuinfo. Virtual machines give several generations
// one name, but not one family and model.
func processorIn(cpuinfo string) string {
	is := map[string]string{}
	for line := range strings.Lines(cpuinfo) {
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			break // the next processor follows
		}
		is[strings.TrimSpace(key)] = plain.Text(strings.TrimSpace(value))
	}
	name := is["model name"]
	if name != "" && is["cpu family"] != "" {
		name += fmt.Sprintf(" (family %s, model %s)", is["cpu family"], is["model"])
	}
	return name
}

// computing are the modules that compute what this one asks for.
var computing = []string{"github.com/gomlx/compute", "github.com/gomlx/go-xla", "github.com/gomlx/gomlx"}

// libraries names these modules' versions in the program, empty where the build does not
// say (in tests).
func libraries() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	var found []string
	for _, dep := range info.Deps {
		if slices.Contains(computing, dep.Path) {
			if dep.Replace != nil {
				dep = dep.Replace
			}
			found = append(found, dep.Path[strings.LastIndex(dep.Path, "/")+1:]+" "+dep.Version)
		}
	}
	return strings.Join(found, ", ")
}

// sources is the source of every package below this one that results depend on. Package data has its own, and the code that
// takes the place of XLA's is in what a device calls its PluginVersion.
//
//go:embed *.go attack/*.go bootstrap/*.go calibration/*.go conformal/*.go energy/*.go jem/*.go measure/*.go
//go:embed nets/*.go ood/*.go predict/*.go study/*.go study/palette/*.go train/*.go internal/cache/*.go internal/ckpt/*.go
//go:embed internal/convgrad/*.go internal/cputime/*.go internal/devmem/*.go internal/explain/*.go
//go:embed internal/innerloop/*.go internal/loop/*.go internal/lp/*.go internal/netgraph/*.go
//go:embed internal/softmax/*.go
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
