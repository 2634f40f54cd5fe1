package torchweights

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/ngebm"
	"ngebm/ngebm/nets"
)

// Write writes a classifier's weights as a safetensors file for PyTorch. Names are the paths
// of the layers, "layer1.0.conv1.weight"; those of a Wide ResNet or ResNet-18 are the authors' (a
// shortcut is an nn.Sequential there, "layer1.0.shortcut.0.weight"). Weights of a convolution are
// shaped [out, in, height, width], and those of a linear layer [out, in], as nn.Conv2d and
// nn.Linear have them. Weights of other names than "weight" are written as they are. PyTorch's
// batch normalization also has num_batches_tracked, which is not here: load it with
// strict=False.
//
// Where a network flattens images, they are flattened with channels last here: in PyTorch,
// x.permute(0, 2, 3, 1).flatten(1).
//
// The metadata goes into the file's header, where Write itself sets "format" and "network",
// and for rows of a table "encoder", a tabular.Encoder in JSON. Weights that are not float32
// are an error.
func Write(w io.Writer, c *ngebm.Classifier, metadata map[string]string) error {
	all, err := named(c)
	if err != nil {
		return fmt.Errorf("torchweights: %w", err)
	}
	about := map[string]string{}
	maps.Copy(about, metadata)
	about["format"], about["network"] = "pt", c.Network.String()
	if c.Encoder != nil {
		about["encoder"] = string(c.Encoder.JSON())
	}
	header := map[string]any{"__metadata__": about}
	at := 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		size := 4 * len(all[name].values)
		header[name] = map[string]any{"dtype": "F32", "shape": all[name].shape, "data_offsets": [2]int{at, at + size}}
		at += size
	}
	text, err := json.Marshal(header)
	if err != nil {
		return fmt.Errorf("torchweights: %w", err)
	}
	for len(text)%8 != 0 { // so that the values are aligned
		text = append(text, ' ')
	}
	buffer := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	_, err = w.Write(buffer)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if err != nil {
			break
		}
		buffer = buffer[:0]
		for _, v := range all[name].values {
			buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(v))
		}
		_, err = w.Write(buffer)
	}
	if err != nil {
		return fmt.Errorf("torchweights: %w", err)
	}
	return nil
}

// weight is one in PyTorch's layout.
type weight struct {
	shape  []int
	values []float32
}

// shortcuts are the names of projections and their norms in PyTorch, which has both in a sequence.
var shortcuts = strings.NewReplacer("shortcut_bn.", "shortcut.1.", "shortcut.", "shortcut.0.")

// named returns a classifier's weights in PyTorch's layouts, by PyTorch's names.
func named(c *ngebm.Classifier) (map[string]weight, error) {
	network := c.Network
	if gauge, ok := network.(nets.Gauge); ok {
		network = gauge.Net
	}
	_, wide := network.(nets.WideResNet)
	_, residual := network.(nets.ResNet18)
	all := map[string]weight{}
	err := c.Weights(func(path string, value *tensors.Tensor) error {
		values, err := tensors.CopyFlatData[float32](value)
		if err != nil {
			return fmt.Errorf("weight %s is %s; it must be float32: %w", path, value.Shape(), err)
		}
		name := strings.ReplaceAll(path, "/", ".")
		if wide || residual {
			name = shortcuts.Replace(name)
		}
		if _, ok := all[name]; ok {
			return fmt.Errorf("two weights of %s have the name %s in PyTorch; give one layer another", c.Network, name)
		}
		all[name] = fromLayout(path, value.Shape().Dimensions, values)
		return nil
	})
	return all, err
}

// fromLayout is the inverse of toLayout.
func fromLayout(path string, shape []int, values []float32) weight {
	n := len(shape)
	if path != "weight" && !strings.HasSuffix(path, "/weight") || n < 2 {
		return weight{shape, values}
	}
	in, out := shape[n-2], shape[n-1]
	positions := len(values) / (in * out)
	turned := make([]float32, len(values))
	for p := range positions {
		for i := range in {
			for o := range out {
				turned[(o*in+i)*positions+p] = values[(p*in+i)*out+o]
			}
		}
	}
	return weight{append([]int{out, in}, shape[:n-2]...), turned}
}
