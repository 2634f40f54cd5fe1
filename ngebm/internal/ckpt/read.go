package ckpt

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unicode"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data/files"
)

// Bounds of what a header may tell. It may come from anyone, and three bytes of JSON can
// stand for a hundred bytes of memory.
const (
	maxElements = 1 << 17 // of an array
	MaxName     = 512     // bytes of a name
)

// readable are the types of tensors that are read: those of weights, of optimizers and of
// random number generators.
var readable = [...]dtypes.DType{
	dtypes.Float32, dtypes.Float64, dtypes.Float16, dtypes.BFloat16,
	dtypes.Int8, dtypes.Int16, dtypes.Int32, dtypes.Int64,
	dtypes.Uint8, dtypes.Uint16, dtypes.Uint32, dtypes.Uint64,
}

// Read returns what [Write] wrote, if fits has nothing against its header. Every error of
// content names the file and the fault, and is a [DamagedError] if the file is not as it
// was written; a file that is not there gives fs.ErrNotExist.
func Read(ctx context.Context, folder *files.Folder, name string, fits func(Header) error) (s *State, err error) {
	err = open(folder, name, func(file io.Reader, size int64) error {
		s, err = decode(inContext{ctx, file}, size, fits)
		return err
	})
	return s, err
}

// ReadHeader returns a checkpoint's header, which may be that of a damaged file, if check
// has nothing against it.
func ReadHeader(folder *files.Folder, name string, check func(Header) error) (head Header, err error) {
	err = open(folder, name, func(file io.Reader, size int64) error {
		if head, err = newReader(file, size).header(); err != nil {
			return err
		}
		return check(head)
	})
	return head, err
}

// open opens a checkpoint for reading, and says what errors are about.
func open(folder *files.Folder, name string, read func(file io.Reader, size int64) error) error {
	file, err := folder.Open(name, MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err != nil {
		return fmt.Errorf("ngebm: cannot read the run's folder: %w; choose another folder of runs, with -runs or $NGEBM_RUNS", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err == nil {
		err = read(file, info.Size())
	}
	path := filepath.Join(folder.Path(), name)
	if errors.Is(err, syscall.EIO) {
		return fmt.Errorf("ngebm: checkpoint %q %w; the disk may be failing", path, Damaged("cannot be read: %v", err))
	}
	if err != nil {
		return fmt.Errorf("ngebm: checkpoint %q %w", path, err)
	}
	return nil
}

// inContext reads until its context ends.
type inContext struct {
	ctx context.Context
	io.Reader
}

func (r inContext) Read(b []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(b)
}

// reader reads a checkpoint from its beginning.
type reader struct {
	in   *bufio.Reader
	size int64     // of the file
	left int64     // bytes before the checksum that were not read yet
	sum  hash.Hash // of those that were
}

func newReader(file io.Reader, size int64) *reader {
	return &reader{bufio.NewReaderSize(file, 1<<20), size, size - sha256.Size, sha256.New()}
}

// take fills b.
func (r *reader) take(b []byte) error {
	if int64(len(b)) > r.left {
		return Damaged("is cut short at %d bytes", r.size)
	}
	if _, err := io.ReadFull(r.in, b); err != nil {
		return unread(err)
	}
	r.left -= int64(len(b))
	r.sum.Write(b)
	return nil
}

// unread is the error of a file that ends before its size, or cannot be read.
func unread(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return Damaged("became shorter while it was read")
	}
	return fmt.Errorf("cannot be read: %w", err)
}

// verify reads what is left and compares the checksum.
func (r *reader) verify() error {
	if _, err := io.CopyN(r.sum, r.in, r.left); err != nil {
		return unread(err)
	}
	r.left = 0
	var sum [sha256.Size]byte
	if _, err := io.ReadFull(r.in, sum[:]); err != nil {
		return unread(err)
	}
	if !bytes.Equal(sum[:], r.sum.Sum(nil)) {
		return Damaged("is damaged: its SHA-256 does not match its content")
	}
	return nil
}

// header reads the header and checks it against the length of the file. What it returns
// says the truth only if verify finds the file whole.
func (r *reader) header() (head Header, err error) {
	var fixed [len(magic+formatVersion) + 8]byte
	if err := r.take(fixed[:]); err != nil {
		return head, err
	}
	if first := string(fixed[:len(magic)]); first != magic {
		return head, Damaged("is not an ngebm checkpoint (magic %q)", first)
	}
	if version := string(fixed[len(magic):][:1]); version != formatVersion {
		if err := r.verify(); err != nil {
			return head, err
		}
		return head, fmt.Errorf("has format version %q, and this program reads %q: use a newer program", version, formatVersion)
	}
	length := binary.LittleEndian.Uint64(fixed[len(fixed)-8:])
	if length > maxHeader || int64(length) > r.left {
		return head, Damaged("has a header of %d bytes in a file of %d", length, r.size)
	}
	raw := make([]byte, length)
	if err := r.take(raw); err != nil {
		return head, err
	}
	return parseHeader(raw, r.left)
}

// parseHeader reads a header; bytes is the length of the values after it.
func parseHeader(raw []byte, bytes int64) (head Header, err error) {
	if longestArray(raw) > maxElements {
		return head, Damaged("has a header with an array of more than %d elements", maxElements)
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return head, Damaged("has a header that cannot be read: %v", err)
	}
	return head, head.check(bytes)
}

// longestArray is the number of elements of the longest array in a JSON text.
func longestArray(raw []byte) int {
	longest, quoted := 0, false
	counts := []int{0} // of commas, for each array and object that is open
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			counts = append(counts, 0)
		case (c == ']' || c == '}') && len(counts) > 1:
			counts = counts[:len(counts)-1]
		case c == ',':
			counts[len(counts)-1]++
			longest = max(longest, counts[len(counts)-1]+1)
		}
	}
	return longest
}

// check compares a header with the bytes that follow it.
func (h *Header) check(bytes int64) error {
	names := map[string]bool{}
	for _, t := range h.Tensors {
		dtype, err := t.check()
		if err != nil {
			return Damaged("has %v", err)
		}
		if names[t.Name] {
			return Damaged("has two tensors %q", t.Name)
		}
		names[t.Name] = true
		size, ok := t.bytes(dtype, bytes)
		if !ok {
			return Damaged("is damaged: it ends within tensor %q of type %.60q and shape %v", t.Name, t.DType, t.Shape)
		}
		bytes -= size
	}
	if bytes != 0 {
		return Damaged("is damaged: it has %d bytes more than its tensors", bytes)
	}
	return nil
}

// check returns the type of a tensor that a checkpoint can hold.
func (t TensorInfo) check() (dtype dtypes.DType, err error) {
	if len(t.Name) > MaxName {
		return dtype, fmt.Errorf("a tensor with a name of %d bytes, more than %d", len(t.Name), MaxName)
	}
	if !isName(t.Name) {
		return dtype, fmt.Errorf("a tensor of the name %q, which no variable has", t.Name)
	}
	dtype, err = dtypes.DTypeString(t.DType)
	if err != nil || !slices.Contains(readable[:], dtype) || len(t.Shape) > MaxRank {
		return dtype, fmt.Errorf("a tensor %q of type %.60q and shape %v, which a checkpoint cannot hold", t.Name, t.DType, t.Shape[:min(len(t.Shape), MaxRank+1)])
	}
	return dtype, nil
}

// holds says which variables a checkpoint can hold.
var holds = fmt.Sprintf("a variable has a printable path of at most %d bytes, at most %d axes, and real numbers of 8 bits or more, such as Float32 or Int8", MaxName, MaxRank)

// CheckVariables returns an error if a checkpoint cannot hold one of the store's variables.
func CheckVariables(store *model.Store) error {
	for v := range store.IterVariables() {
		if _, err := infoOf(v.Path(), v.Shape(), v.Trainable).check(); err != nil {
			return fmt.Errorf("ngebm: the run cannot be saved: it has %w; %s", err, holds)
		}
	}
	return nil
}

func infoOf(name string, shape shapes.Shape, trainable bool) TensorInfo {
	return TensorInfo{name, shape.DType.String(), append([]int{}, shape.Dimensions...), trainable}
}

// isName reports whether a tensor can have that name: that of a variable, /a/b/c, or of
// the history or the auxiliary state. It is safe to print.
func isName(name string) bool {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return false
	}
	path, ok := strings.CutPrefix(name, "/")
	return ok && !slices.Contains(strings.Split(path, "/"), "") || strings.HasPrefix(name, HistoryPrefix) || name == AuxState
}

// bytes is the length of a tensor's values; ok is false if there is none, or it is more
// than most.
func (t TensorInfo) bytes(dtype dtypes.DType, most int64) (size int64, ok bool) {
	size = int64(dtype.Size())
	empty := slices.Contains(t.Shape, 0)
	for _, d := range t.Shape {
		// The dimensions of an empty tensor are bounded too: others multiply them.
		if d < 0 || int64(d) > math.MaxInt32 || !empty && int64(d) > most/size {
			return 0, false
		}
		if !empty {
			size *= int64(d)
		}
	}
	if empty {
		return 0, true
	}
	return size, size <= most
}

// GoMLX returns the tensor's type and shape as GoMLX has them.
func (t TensorInfo) GoMLX() (shapes.Shape, error) {
	dtype, err := dtypes.DTypeString(t.DType)
	if err != nil {
		return shapes.Shape{}, Damaged("has a tensor %q of type %.60q", t.Name, t.DType)
	}
	return shapes.Make(dtype, t.Shape...), nil
}

// decode reads a checkpoint of that many bytes, if fits, which may be nil, has nothing
// against its header.
func decode(file io.Reader, size int64, fits func(Header) error) (*State, error) {
	r := newReader(file, size)
	head, err := r.header()
	if err != nil {
		return nil, err
	}
	if fits != nil {
		if wrong := fits(head); wrong != nil {
			// A damaged file says nothing about the run that it belongs to.
			if damaged := (*DamagedError)(nil); errors.As(wrong, &damaged) {
				return nil, wrong
			}
			if err := r.verify(); err != nil {
				return nil, err
			}
			return nil, wrong
		}
	}
	s := &State{Hash: head.Hash, Seal: head.Seal, Step: head.Step, History: head.History}
	for _, info := range head.Tensors {
		t, err := r.tensor(info)
		if err != nil {
			return nil, err
		}
		s.Tensors = append(s.Tensors, Tensor{info.Name, info.Trainable, t})
	}
	if err := r.verify(); err != nil {
		return nil, err
	}
	for _, t := range s.Tensors {
		if strings.HasPrefix(t.Name, HistoryPrefix) || t.Name == AuxState {
			continue
		}
		finite, err := IsFinite(t.Value)
		if err != nil {
			return nil, err
		}
		if !finite {
			what := "a variable"
			if IsWeight(t.Name) {
				what = "a weight"
			}
			return nil, fmt.Errorf("has %s %q that is NaN or infinite, with which nothing can be computed; get the run from where it was trained, or delete the file to train it again", what, t.Name)
		}
	}
	return s, nil
}

// tensor reads the next tensor, which header has checked.
func (r *reader) tensor(info TensorInfo) (*tensors.Tensor, error) {
	shape, err := info.GoMLX()
	if err != nil {
		return nil, err
	}
	t := tensors.FromShape(shape)
	if t.Size() == 0 {
		return t, nil
	}
	if e := t.MutableBytes(func(b []byte) { err = r.take(b) }); e != nil {
		return nil, e
	}
	return t, err
}

// Checksum is the SHA-256 of a checkpoint in a run's folder, in hex.
func Checksum(folder *files.Folder, name string) (string, error) {
	file, err := folder.Open(name, MaxFile)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
