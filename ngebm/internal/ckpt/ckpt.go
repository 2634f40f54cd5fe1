// Package ckpt reads and writes the files of a run's folder: checkpoints in a format of
// their own, and the rest by name. A folder may come from anyone, so what its files say is
// compared with bounds, and with each other, before memory is taken for it.
package ckpt

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gomlx/compute/dtypes"
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
// It holds plain data only, nothing that is executed. What the header says is compared
// with the length of the file, and with the network, before memory is taken for it. The
// weights are finite numbers; the history may hold NaN. A file is written next to its
// final name, synced and renamed, so the name always stands for a whole file; see
// ngebm.Run for which files there are. Two runs of one configuration on one device write
// the same bytes: nothing in it depends on time or place.
const (
	magic         = "NGEBMCK"
	formatVersion = "1"
	maxHeader     = 16 << 20
	MaxFile       = 8 << 30 // bytes of a checkpoint
	MaxRank       = 16      // of a tensor
)

// Names of tensors in a checkpoint. Weights of the network are below /net/, their moving
// averages below /average/, and the optimizer's variables have separate paths.
const (
	NetworkScope  = "net"
	AverageScope  = "average"
	HistoryPrefix = "history:"        // a curve of the history, a value a step
	AuxState      = "companion:state" // what the source of a step's auxiliary inputs resumes from
)

// IsWeight reports whether a variable is one of the network's weights, or their average.
func IsWeight(path string) bool {
	return strings.HasPrefix(path, "/"+NetworkScope+"/") || strings.HasPrefix(path, "/"+AverageScope+"/")
}

// DamagedError says that a checkpoint is not as it was written: cut, changed, or not
// to be read from its disk.
type DamagedError struct{ what string }

func (e *DamagedError) Error() string { return e.what }

// Damaged returns a [DamagedError].
func Damaged(format string, args ...any) error { return &DamagedError{fmt.Sprintf(format, args...)} }

// Header is the JSON at the beginning of a checkpoint.
type Header struct {
	Hash    string          `json:"hash"`    // of the run's configuration
	Step    int             `json:"step"`    // steps done
	History json.RawMessage `json:"history"` // without its curves, which are the first tensors
	Tensors []TensorInfo    `json:"tensors"`
	// Seal is the checksum of what config.json says of the classifier; empty in what older
	// programs wrote.
	Seal string `json:"seal,omitempty"`
}

// TensorInfo describes a tensor of a checkpoint.
type TensorInfo struct {
	Name      string `json:"name"`
	DType     string `json:"dtype"` // "Float32", "Float64", "Int64" …
	Shape     []int  `json:"shape"`
	Trainable bool   `json:"trainable"`
}

// State is the state of a run at one step; see [Header] for its first fields.
type State struct {
	Hash    string
	Seal    string
	Step    int
	History json.RawMessage
	Tensors []Tensor // the history's curves, then every variable
}

// Tensor is a tensor of a checkpoint.
type Tensor struct {
	Name      string
	Trainable bool
	Value     *tensors.Tensor
}

// Write puts the state into a file of the folder, or leaves an existing file as it was. What
// was there gets the name keep, if that is not empty.
func Write(folder *files.Folder, name, keep string, s State) error {
	f, err := folder.Create(name, 0o644)
	if err != nil {
		return Unwritten("the checkpoint", err)
	}
	defer f.Discard()
	if err = encode(f, s); err == nil {
		err = f.Sync()
	}
	if err == nil && keep != "" {
		folder.Keep(name, keep)
	}
	if err == nil {
		err = f.Commit()
	}
	return Unwritten("the checkpoint", err)
}

// errUnreadable is in the error of a checkpoint that is not written, as it could not be read.
var errUnreadable = errors.New("it could not be read again")

// encode writes nothing that decode refuses for its header.
func encode(file io.Writer, s State) error {
	head := Header{Hash: s.Hash, Step: s.Step, History: s.History, Seal: s.Seal}
	for _, t := range s.Tensors {
		head.Tensors = append(head.Tensors, infoOf(t.Name, t.Value.Shape(), t.Trainable))
	}
	headJSON, err := json.Marshal(head)
	if err != nil {
		return err
	}
	if len(headJSON) > maxHeader {
		return fmt.Errorf("%w: its header would have %d bytes, more than %d; evaluate less often (eval_every)", errUnreadable, len(headJSON), maxHeader)
	}
	values := int64(0)
	for _, t := range s.Tensors {
		values += t.Value.Shape().ByteSize()
	}
	if size := int64(len(magic)+1+8+len(headJSON)+sha256.Size) + values; size > MaxFile {
		return fmt.Errorf("%w: it would have %d bytes, and none of more than %d can be read; use a smaller network", errUnreadable, size, int64(MaxFile))
	}
	if _, err := parseHeader(headJSON, values); err != nil {
		return fmt.Errorf("%w: it %v", errUnreadable, err)
	}
	sum := sha256.New()
	w := io.MultiWriter(file, sum)
	put := func(b []byte) {
		if err == nil {
			_, err = w.Write(b)
		}
	}
	put([]byte(magic + formatVersion))
	put(binary.LittleEndian.AppendUint64(nil, uint64(len(headJSON))))
	put(headJSON)
	for _, t := range s.Tensors {
		if t.Value.Size() == 0 || err != nil {
			continue
		}
		if e := t.Value.ConstBytes(put); e != nil {
			return e
		}
	}
	put(sum.Sum(nil))
	return err
}

// IsFinite reports whether all numbers of a tensor are neither NaN nor infinite. In each of
// these types that is a number whose bits of the exponent are not all set.
func IsFinite(t *tensors.Tensor) (finite bool, err error) {
	exponents := map[dtypes.DType]uint64{
		dtypes.Float64: 0x7ff << 52, dtypes.Float32: 0xff << 23, dtypes.BFloat16: 0xff << 7, dtypes.Float16: 0x1f << 10,
	}
	exponent, float := exponents[t.DType()]
	if !float || t.Size() == 0 {
		return true, nil
	}
	finite = true
	err = t.ConstBytes(func(b []byte) {
		for size := t.DType().Size(); len(b) >= size && finite; b = b[size:] {
			var bits uint64
			switch size {
			case 2:
				bits = uint64(binary.LittleEndian.Uint16(b))
			case 4:
				bits = uint64(binary.LittleEndian.Uint32(b))
			default:
				bits = binary.LittleEndian.Uint64(b)
			}
			finite = bits&exponent != exponent
		}
	})
	return finite, err
}
