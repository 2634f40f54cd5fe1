package ngebm

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data/files"
)

// A checkpoint file is
//
//	7 bytes   "NGEBMCK"
//	1 byte    version of this layout, the digit 1
//	8 bytes   length of the header, little-endian, at most maxHeader
//	header    JSON (see header)
//	tensors   raw values, little-endian, one after the other in the header's order
//	32 bytes  SHA-256 of all that comes before, in this place in every version
//
// It holds plain data only, nothing that is executed. What is read is compared with
// the length of the file before memory is taken for it. A file is written beside its
// final name, synced and renamed, so the name always stands for a whole file; see
// [Run] for which files there are. Two runs of one configuration on one device write
// the same bytes: nothing in it depends on time or place.
const (
	checkpointMagic = "NGEBMCK"
	formatVersion   = "1"
	maxHeader       = 16 << 20
	maxCheckpoint   = 8 << 30 // bytes of the file
	maxRank         = 16
)

// damagedError says that a checkpoint is not as it was written: cut, changed, or not
// to be read from its disk.
type damagedError struct{ what string }

func (e *damagedError) Error() string { return e.what }

func damaged(format string, args ...any) error { return &damagedError{fmt.Sprintf(format, args...)} }

type header struct {
	Hash    string       `json:"hash"` // of the configuration
	Step    int          `json:"step"` // steps done
	History History      `json:"history"`
	Tensors []tensorInfo `json:"tensors"`
}

type tensorInfo struct {
	Name      string `json:"name"`
	DType     string `json:"dtype"` // "Float32", "Float64", "Int64" …
	Shape     []int  `json:"shape"`
	Trainable bool   `json:"trainable"`
}

// checkpoint is the state of a run at one step.
type checkpoint struct {
	hash    string
	step    int
	history History
	weights []namedTensor // every variable: weights, optimiser state
}

type namedTensor struct {
	name      string
	trainable bool
	value     *tensors.Tensor
}

// historyPrefix marks the tensors that are history, not weights.
const historyPrefix = "history:"

// writeCheckpoint puts c into the folder, or leaves what is there as it was. What was
// there gets the name keep, if that is not empty.
func writeCheckpoint(folder *files.Folder, name, keep string, c checkpoint) error {
	f, err := folder.Create(name, 0o644)
	if err != nil {
		return unwritten("the checkpoint", err)
	}
	defer f.Discard()
	if err = encodeCheckpoint(f, c); err == nil {
		err = f.Sync()
	}
	if err == nil && keep != "" {
		folder.Keep(name, keep)
	}
	if err == nil {
		err = f.Commit()
	}
	return unwritten("the checkpoint", err)
}

// unwritten says what to do about a file in a run's folder that could not be written;
// nil stays nil.
func unwritten(what string, err error) error {
	remedy := "make its folder writable, or choose another with -runs or $NGEBM_RUNS"
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		remedy = "the disk is full: make room and train the same configuration to go on"
	case errors.Is(err, syscall.EFBIG):
		remedy = "files may not become so large here: raise the limit (ulimit -f) and train the same configuration to go on"
	case errors.Is(err, fs.ErrNotExist):
		remedy = "the run's folder is gone: put it back, or train the run anew"
	}
	return fmt.Errorf("ngebm: cannot write %s: %w; %s; what was written before is untouched", what, err, remedy)
}

func encodeCheckpoint(file io.Writer, c checkpoint) error {
	h := c.history
	all := []namedTensor{
		{name: historyPrefix + "loss", value: vector(h.Loss)},
		{name: historyPrefix + "learning rate", value: vector(h.LearningRate)},
	}
	for i, values := range h.Values {
		all = append(all, namedTensor{name: historyPrefix + h.Terms[i], value: vector(values)})
	}
	h.Loss, h.LearningRate, h.Values = nil, nil, nil
	all = append(all, c.weights...)

	head := header{Hash: c.hash, Step: c.step, History: h}
	for _, t := range all {
		shape := t.value.Shape()
		head.Tensors = append(head.Tensors, tensorInfo{t.name, shape.DType.String(), append([]int{}, shape.Dimensions...), t.trainable})
	}
	headJSON, err := json.Marshal(head)
	if err != nil {
		return err
	}
	if len(headJSON) > maxHeader {
		return fmt.Errorf("its header would have %d bytes, more than %d: evaluate less often (eval_every)", len(headJSON), maxHeader)
	}
	sum := sha256.New()
	w := io.MultiWriter(file, sum)
	put := func(b []byte) {
		if err == nil {
			_, err = w.Write(b)
		}
	}
	put([]byte(checkpointMagic + formatVersion))
	put(binary.LittleEndian.AppendUint64(nil, uint64(len(headJSON))))
	put(headJSON)
	for _, t := range all {
		if t.value.Size() == 0 || err != nil {
			continue
		}
		if e := t.value.ConstBytes(put); e != nil {
			return e
		}
	}
	put(sum.Sum(nil))
	return err
}

func vector(values []float32) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(append([]float32{}, values...), len(values))
}

// readCheckpoint returns what writeCheckpoint wrote. Every error of content
// names the file and the fault, and is a damagedError if the file is not as it was
// written; a file that is not there gives fs.ErrNotExist.
func readCheckpoint(folder *files.Folder, name string) (*checkpoint, error) {
	path := filepath.Join(folder.Path(), name)
	raw, err := folder.ReadFile(name, maxCheckpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if errors.Is(err, syscall.EIO) {
		err = damaged("cannot be read: %v", err)
		return nil, fmt.Errorf("ngebm: checkpoint %s %w; the disk may be failing", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("ngebm: cannot read the run's folder: %w; choose another folder of runs, with -runs or $NGEBM_RUNS", err)
	}
	c, err := decodeCheckpoint(raw)
	if err != nil {
		return nil, fmt.Errorf("ngebm: checkpoint %s %w", path, err)
	}
	return c, nil
}

func decodeCheckpoint(raw []byte) (*checkpoint, error) {
	const fixed = len(checkpointMagic+formatVersion) + 8
	if len(raw) < fixed+sha256.Size {
		return nil, damaged("is cut short at %d bytes", len(raw))
	}
	body, sum := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	whole := sha256.Sum256(body)
	switch magic, version := string(raw[:len(checkpointMagic)]), string(raw[len(checkpointMagic):][:1]); {
	case magic != checkpointMagic:
		return nil, damaged("is no checkpoint of this program (it begins with %q)", magic)
	case !bytes.Equal(whole[:], sum):
		return nil, damaged("is damaged: its SHA-256 does not match its content")
	case version != formatVersion:
		return nil, fmt.Errorf("has format version %q, and this program reads %q: use a newer program", version, formatVersion)
	}
	headLen := binary.LittleEndian.Uint64(raw[fixed-8 : fixed])
	if headLen > maxHeader || headLen > uint64(len(body)-fixed) {
		return nil, fmt.Errorf("has a header of %d bytes in a file of %d", headLen, len(raw))
	}
	var head header
	if err := json.Unmarshal(body[fixed:fixed+int(headLen)], &head); err != nil {
		return nil, fmt.Errorf("has a header that cannot be read: %w", err)
	}
	c := &checkpoint{hash: head.Hash, step: head.Step, history: head.History}
	values := body[fixed+int(headLen):]
	names := map[string]bool{}
	for _, info := range head.Tensors {
		t, n, err := decodeTensor(info, values)
		if err != nil {
			return nil, err
		}
		if names[info.Name] {
			return nil, fmt.Errorf("has two tensors %q", info.Name)
		}
		names[info.Name] = true
		values = values[n:]
		c.weights = append(c.weights, namedTensor{info.Name, info.Trainable, t})
	}
	if len(values) != 0 {
		return nil, fmt.Errorf("has %d bytes more than its tensors", len(values))
	}
	return c, c.takeHistory()
}

// decodeTensor reads one tensor from the front of values and returns how many
// bytes it took.
func decodeTensor(info tensorInfo, values []byte) (*tensors.Tensor, int, error) {
	dtype, err := dtypes.DTypeString(info.DType)
	if err != nil || dtype.Size() == 0 || len(info.Shape) > maxRank {
		return nil, 0, fmt.Errorf("has a tensor %q of type %q and shape %v, which it cannot hold", info.Name, info.DType, info.Shape)
	}
	size, fits := dtype.Size(), true
	for _, d := range info.Shape {
		fits = fits && d >= 0 && (d == 0 || size <= len(values)/d) // before size can overflow
		size *= d
	}
	if !fits || size > len(values) {
		return nil, 0, fmt.Errorf("ends within tensor %q of type %s and shape %v", info.Name, info.DType, info.Shape)
	}
	t := tensors.FromShape(shapes.Make(dtype, info.Shape...))
	if size == 0 {
		return t, 0, nil
	}
	return t, size, t.MutableBytes(func(b []byte) { copy(b, values[:size]) })
}

// takeHistory moves the history's curves from the tensors to the history, whose parts
// must fit each other: whoever reads it relies on that.
func (c *checkpoint) takeHistory() error {
	h := c.history
	fits := len(h.Weights) == len(h.Terms) && (h.StepsPerEpoch > 0 || c.step == 0)
	for _, e := range h.Evaluations {
		fits = fits && len(e.Values) == len(h.Terms) && 0 <= e.Step && e.Step <= c.step
	}
	if !fits {
		return errors.New("has a history whose parts do not fit each other")
	}
	curves := make([][]float32, 0, 2+len(c.history.Terms))
	for i := range 2 + len(c.history.Terms) {
		if i >= len(c.weights) || c.weights[i].value.DType() != dtypes.Float32 || c.weights[i].value.Rank() != 1 || c.weights[i].value.Size() != c.step {
			return fmt.Errorf("has no whole history of its %d steps", c.step)
		}
		curve, err := tensors.CopyFlatData[float32](c.weights[i].value)
		if err != nil {
			return err
		}
		curves = append(curves, curve)
	}
	c.history.Loss, c.history.LearningRate, c.history.Values = curves[0], curves[1], curves[2:]
	c.weights = c.weights[len(curves):]
	return nil
}
