package ngebm

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data/files"
	"ngebm/ngebm/internal/ckpt"
)

// checkpoint is what a checkpoint file is made of.
type checkpoint struct {
	hash, seal string
	step       int
	history    History
	weights    []ckpt.Tensor
}

// header is a checkpoint's header with its history.
type header struct {
	Hash    string            `json:"hash"`
	Step    int               `json:"step"`
	History History           `json:"history"`
	Tensors []ckpt.TensorInfo `json:"tensors"`
	Seal    string            `json:"seal,omitempty"`
}

func exampleCheckpoint() checkpoint {
	return checkpoint{
		hash: "0123456789ab", step: 2,
		history: History{
			StepsPerEpoch: 2, Terms: []string{"cross-entropy"}, Weights: []float64{1},
			Loss: []float32{2, 1}, LearningRate: []float32{.1, .1}, Values: [][]float32{{2, 1}},
			Evaluations: []Evaluation{{Step: 2, Split: "test", Examples: 3, Accuracy: 1. / 3, Loss: 1, Values: []float64{1}}},
		},
		weights: []ckpt.Tensor{
			{Name: "/net/weight", Trainable: true, Value: tensors.FromFlatDataAndDimensions([]float32{1, -2, 3, 4, 5, 6}, 2, 3)},
			{Name: "/global_step", Value: tensors.FromScalar(int64(2))},
			{Name: "/double", Value: tensors.FromFlatDataAndDimensions([]float64{1e300}, 1)},
		},
	}
}

// written are the bytes of the checkpoint's file.
func written(t testing.TB, c checkpoint) []byte {
	t.Helper()
	all := append(c.history.curves(), c.weights...)
	c.history.Loss, c.history.LearningRate, c.history.Values = nil, nil, nil
	text, err := json.Marshal(c.history)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	folder, err := files.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if err := ckpt.Write(folder, "written", "", ckpt.State{Hash: c.hash, Seal: c.seal, Step: c.step, History: text, Tensors: all}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "written"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// sealed puts a header and values together with a right checksum, as an attacker could.
func sealed(header, values string) []byte {
	b := append([]byte("NGEBMCK1"), binary.LittleEndian.AppendUint64(nil, uint64(len(header)))...)
	b = append(append(b, header...), values...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}
