package ngebm

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

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
// It holds plain data only, nothing that is executed. What the header tells is compared
// with the length of the file, and with the network, before memory is taken for it. The
// weights are finite numbers; the history may hold NaN. A file is written next to its
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
	// Seal is the checksum of what config.json says of the classifier, see [seal]; empty
	// in what older programs wrote.
	Seal string `json:"seal,omitempty"`
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
	seal    string // see header
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

	head := header{Hash: c.hash, Step: c.step, History: h, Seal: c.seal}
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
