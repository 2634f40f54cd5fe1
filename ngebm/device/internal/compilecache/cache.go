// Package compilecache keeps the programs that XLA has compiled in files, so that another
// process loads them instead: machine code, ready to run, in a hundredth of the time.
//
// A file's name is a SHA-256 over the program and all that the code depends on: the options
// to compile it with, the plugin, the processor and the number of its cores, and XLA's flags.
// The code is that of the process that compiled it, so results are the same bit for bit.
//
// A compiled program runs with all rights of the process. So one is loaded only if nobody
// else could have written it: from a regular file, not a link, that belongs to this user or
// root and that no group and nobody else may write to. Its checksum must hold. Anything else
// is compiled as if there were no file, which is then replaced.
package compilecache

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"ngebm/data/files"
	"ngebm/ngebm/device/internal/pjrthook"
)

const (
	maxProgram = 64 << 20  // bytes of a compiled program; a step of WRN-28-10 has 2 MB
	maxTotal   = 512 << 20 // bytes of all files
)

// magic begins a file; it changes with the format.
const magic = "ngebm compiled program 1\n"

// Cache is a folder of compiled programs. A nil *Cache keeps none. Its methods may be called
// at the same time, by several processes too.
type Cache struct {
	dir              string
	salt             []byte // hash of what all programs depend on
	loaded, compiled atomic.Int64
}

// New returns the cache in an existing folder, to which no other user may write. The code
// depends on this machine, on the environment that XLA reads, and on what else the caller
// names: the plugin, the options of its client.
func New(dir string, dependsOn ...string) (*Cache, error) {
	kind, err := processor(processorFile)
	if err != nil {
		return nil, err
	}
	cores := fmt.Sprint(runtime.NumCPU()) // XLA partitions work among them when it compiles
	h := sha256.New()
	for _, part := range slices.Concat([]string{magic, runtime.GOARCH, kind, cores}, environment(), dependsOn) {
		add(h, []byte(part))
	}
	return &Cache{dir: dir, salt: h.Sum(nil)}, nil
}

// Counts returns how many programs were loaded, and how many compiled.
func (c *Cache) Counts() (loaded, compiled int) {
	if c == nil {
		return 0, 0
	}
	return int(c.loaded.Load()), int(c.compiled.Load())
}

// Compile loads the program from the cache, or compiles and stores it. Without a cache (nil) it is
// compiled.
func (c *Cache) Compile(p *pjrthook.Compilation) {
	if c == nil {
		p.Compile()
		return
	}
	name := c.name(p.Format, p.Program, p.Options)
	if stored, err := c.read(name); err == nil && p.Load(stored) {
		c.loaded.Add(1)
		return
	}
	if !p.Compile() {
		return
	}
	c.compiled.Add(1)
	if executable, ok := p.Serialize(); ok {
		_ = c.write(name, executable) // it is compiled again next time
	}
}

// add adds a part and its length, so that parts cannot run into each other.
func add(h hash.Hash, part []byte) {
	h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(part))))
	h.Write(part)
}

// name is the name of the file of a program, given in parts.
func (c *Cache) name(parts ...[]byte) string {
	h := sha256.New()
	add(h, c.salt)
	for _, part := range parts {
		add(h, part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// read returns a stored program that nobody else could have written.
func (c *Cache) read(name string) ([]byte, error) {
	path := filepath.Join(c.dir, name)
	file, err := files.Open(path, maxProgram)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !files.Mine(info) || info.Mode().Perm()&0o022 != 0:
		return nil, fmt.Errorf("%q may have been written by others", path)
	}
	content := make([]byte, info.Size())
	if _, err := file.ReadAt(content, 0); err != nil {
		return nil, err
	}
	program, err := unseal(name, content)
	if err == nil {
		now := time.Now()
		_ = os.Chtimes(path, now, now) // what is used last is removed last
	}
	return program, err
}

// write stores a program and keeps the folder within its bound.
func (c *Cache) write(name string, program []byte) error {
	if len(program)+len(magic)+sha256.Size > maxProgram {
		return errors.New("the program is too large to be kept")
	}
	if err := files.WriteFile(filepath.Join(c.dir, name), seal(name, program), 0o600); err != nil {
		return err
	}
	return prune(c.dir, maxTotal)
}

// seal is a file's content: magic, checksum, program. The checksum is over the name too, so
// that a file cannot stand for another program.
func seal(name string, program []byte) []byte {
	sum := checksum(name, program)
	return bytes.Join([][]byte{[]byte(magic), sum[:], program}, nil)
}

func checksum(name string, program []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	add(h, []byte(name))
	add(h, program)
	h.Sum(sum[:0])
	return sum
}

// unseal returns the program of a file's content.
func unseal(name string, content []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(content, []byte(magic))
	if !ok || len(rest) < sha256.Size {
		return nil, errors.New("not a compiled program")
	}
	program := rest[sha256.Size:]
	if sum := checksum(name, program); !bytes.Equal(sum[:], rest[:sha256.Size]) {
		return nil, errors.New("the checksum is another")
	}
	return program, nil
}
