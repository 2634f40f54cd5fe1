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
	"os"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/google/renameio/v2"
)

// A checkpoint file is
//
//	8 bytes   "NGEBMCK1"
//	8 bytes   length of the header, little-endian
//	header    JSON (see header)
//	tensors   raw values, little-endian, one after the other in the header's order
//	32 bytes  SHA-256 of all that comes before
//
// It holds plain data only. It is written beside its final name, synced and
// renamed, so the name always stands for a whole file. Two runs of one
// configuration on one device write the same bytes: nothing in it depends on
// time or place.
const (
	checkpointMagic = "NGEBMCK1"
	maxHeader       = 64 << 20
	maxRank         = 16
)

type header struct {
	Hash    string       `json:"hash"` // of the configuration
	Step    int          `json:"step"` // steps done
	History History      `json:"history"`
	Tensors []tensorInfo `json:"tensors"`
}

type tensorInfo struct {
	Name      string `json:"name"`
	DType     string `json:"dtype"` // "float32", "float64", "int64" …
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

// writeCheckpoint puts c at path, or leaves what is there as it was.
func writeCheckpoint(path string, c checkpoint) error {
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("ngebm: cannot write the checkpoint: %w; make the folder writable or choose another with -runs", err)
	}
	defer f.Cleanup() // does nothing once renamed
	if err = encodeCheckpoint(f, c); err == nil {
		err = f.CloseAtomicallyReplace()
	}
	if err != nil {
		return fmt.Errorf("ngebm: cannot write the checkpoint: %w; the one before it is untouched", err)
	}
	return nil
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
	sum := sha256.New()
	w := io.MultiWriter(file, sum)
	put := func(b []byte) {
		if err == nil {
			_, err = w.Write(b)
		}
	}
	put([]byte(checkpointMagic))
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
// names the file and the fault; a file that is not there gives fs.ErrNotExist.
func readCheckpoint(path string) (*checkpoint, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("ngebm: cannot read the run's folder: %w; choose another folder of runs, with -runs or $NGEBM_RUNS", err)
	}
	c, err := decodeCheckpoint(raw)
	if err != nil {
		return nil, fmt.Errorf("ngebm: checkpoint %s %w; delete the file to train the run anew", path, err)
	}
	return c, nil
}

func decodeCheckpoint(raw []byte) (*checkpoint, error) {
	const fixed = len(checkpointMagic) + 8
	if len(raw) < fixed+sha256.Size {
		return nil, fmt.Errorf("is cut short at %d bytes", len(raw))
	}
	if magic := string(raw[:len(checkpointMagic)]); magic != checkpointMagic {
		if magic[:7] == checkpointMagic[:7] {
			return nil, fmt.Errorf("has format version %q, this program reads %q: use a newer program", magic[7:], checkpointMagic[7:])
		}
		return nil, fmt.Errorf("is no checkpoint of this program (it begins with %q)", magic)
	}
	body, sum := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	if got := sha256.Sum256(body); !bytes.Equal(got[:], sum) {
		return nil, fmt.Errorf("is damaged: its SHA-256 does not match its content")
	}
	headLen := binary.LittleEndian.Uint64(raw[len(checkpointMagic):fixed])
	if headLen > maxHeader || headLen > uint64(len(body)-fixed) {
		return nil, fmt.Errorf("has a header of %d bytes in a file of %d", headLen, len(raw))
	}
	var head header
	if err := json.Unmarshal(body[fixed:fixed+int(headLen)], &head); err != nil {
		return nil, fmt.Errorf("has a header that cannot be read: %w", err)
	}
	c := &checkpoint{hash: head.Hash, step: head.Step, history: head.History}
	values := body[fixed+int(headLen):]
	for _, info := range head.Tensors {
		t, n, err := decodeTensor(info, values)
		if err != nil {
			return nil, err
		}
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

// takeHistory moves the history's curves from the tensors to the history.
func (c *checkpoint) takeHistory() error {
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
