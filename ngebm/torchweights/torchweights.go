// Package torchweights reads the weights of Wide ResNets that were trained with
// PyTorch, so that the models of the authors of NG-EBM and JEM can be measured here. Both use one
// network. It also writes the weights of any classifier for PyTorch: see [Write].
//
// Files are NPZ or safetensors, which hold numbers only (a .pt file is a pickle, which
// can run programs, and is not read). In Python:
//
//	state = torch.load("best_valid_ckpt.pt", weights_only=True)["model_state_dict"]
//	numpy.savez("weights.npz", **{k: v.float().numpy() for k, v in state.items()})
//
// and then here
//
//	c, err := torchweights.Load(dev.Backend, "weights.npz", test.Shape, test.Classes)
//	report, err := measure.Measure(ctx, c, test, measure.Options{})
//
// The way back, after Write(file, run.Classifier, nil), is
//
//	from safetensors.torch import load_file
//	model.load_state_dict(load_file("weights.safetensors"))
//
// Pixels must be scaled to [-1,1], as the authors do and data.Dataset.Example does.
package torchweights

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data/files"
	"ngebm/data/format"
	"ngebm/ngebm"
	"ngebm/ngebm/nets"
)

// maxBytes bounds the values of a file (WRN-28-10 has 146 MB), and maxRatio their ratio to
// the size of a compressed file, since weights hardly compress.
const (
	maxBytes = 2 << 30
	maxRatio = 20
)

// Load returns a classifier with the weights of an .npz or .safetensors file, for images
// of the given shape [height, width, channels]. A file that [Write] wrote has the network
// that it names, with its activation; others have the authors', LeakyReLU.
func Load(backend compute.Backend, path string, shape []int, classes []string) (*ngebm.Classifier, error) {
	arrays, about, err := read(path)
	if err != nil {
		return nil, err
	}
	net, weights, err := WideResNet(arrays)
	if err == nil {
		err = complete(net, weights)
	}
	if named, unknown := nets.Parse(about["network"]); unknown == nil && err == nil {
		net, err = styled(net, named)
	}
	if err != nil {
		return nil, fmt.Errorf("torchweights: %s: %w", path, err)
	}
	c, err := ngebm.NewClassifierFromWeights(backend, net, weights, shape, classes)
	if err != nil {
		return nil, fmt.Errorf("torchweights: %s: %w", path, err)
	}
	return c, nil
}

// Read reads the arrays of an .npz or .safetensors file by name.
func Read(path string) (map[string]*format.Array, error) {
	arrays, _, err := read(path)
	return arrays, err
}

// read also returns what a .safetensors file says of itself.
func read(path string) (arrays map[string]*format.Array, about map[string]string, err error) {
	f, err := files.OpenLinked(path, maxBytes)
	if err != nil {
		return nil, nil, fmt.Errorf("torchweights: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("torchweights: %w", err)
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".safetensors":
		arrays, about, err = format.ReadSafetensors(f, min(maxBytes, info.Size()))
	case ".npz":
		arrays, err = readNPZ(f, info.Size())
	default:
		err = errors.New("its name ends neither in .npz nor in .safetensors; export the model's state_dict to one of these, as the package's documentation shows")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("torchweights: %s: %w", path, err)
	}
	return arrays, about, nil
}

// styled is the network with the activation of the one that a file names.
func styled(net nets.WideResNet, named nets.Network) (nets.WideResNet, error) {
	wide, ok := named.(nets.WideResNet)
	if !ok || wide.Depth != net.Depth || wide.Width != net.Width {
		return net, fmt.Errorf("its weights are those of %s, and its metadata names the network %s; give a file of a Wide ResNet without a gauge head", net, named)
	}
	return wide, nil
}

func readNPZ(f *os.File, size int64) (map[string]*format.Array, error) {
	z, err := format.OpenNPZ(f, size)
	if err != nil {
		return nil, err
	}
	arrays, left := map[string]*format.Array{}, min(maxBytes, max(64<<20, maxRatio*size))
	for _, name := range z.Names() {
		a, err := z.Read(name, left)
		if err != nil {
			return nil, err
		}
		left -= int64(8 * a.Len()) // at most this many
		arrays[name] = a
	}
	return arrays, nil
}

// Names of layers in the authors' files.
var (
	block  = regexp.MustCompile(`^(layer([123])\.(\d{1,3}))\.(conv1|conv2|shortcut)(?:\.0)?\.(weight|bias)$`)
	ends   = regexp.MustCompile(`^(conv1|linear|class_output)\.(weight|bias)$`)
	unused = regexp.MustCompile(`^energy_output\.(weight|bias)$`) // a head that neither logits nor energy use
)

// WideResNet returns the network that the arrays are the weights of, and the weights in
// its layouts, for ngebm.NewClassifierFromWeights: kernels [height, width, in, out] in place of
// PyTorch's [out, in, height, width], linear weights [in, out] in place of [out, in].
//
// Names are those of the authors' modules: conv1, layer1.0.conv1, layer1.0.shortcut.0 …,
// with or without the prefix "f.", and class_output (JEM's and NG-EBM's logits) or else
// linear. Common prefixes such as "_orig_mod.", "module." and "model." are removed. Of a
// checkpoint with "model_state_dict." or "state_dict." only names with this prefix are
// read. It returns an error for normalization layers, which the network does not have, and
// for weights that are not finite.
func WideResNet(arrays map[string]*format.Array) (nets.WideResNet, map[string]*tensors.Tensor, error) {
	var net nets.WideResNet
	plain, err := unwrapped(arrays)
	if err != nil {
		return net, nil, err
	}
	_, head := plain["class_output.weight"]
	weights, names := map[string]*tensors.Tensor{}, map[string]string{} // names in the file
	blocks := 0
	for _, name := range slices.Sorted(maps.Keys(plain)) {
		layer, part := "", ""
		if m := block.FindStringSubmatch(name); m != nil {
			layer, part = m[1]+"/"+m[4], m[5]
			if m[2] == "1" && m[4] == "conv1" && part == "weight" {
				blocks++
			}
		} else if m := ends.FindStringSubmatch(name); m != nil {
			layer, part = m[1], m[2]
			if head && layer == "linear" {
				continue // unused in the authors' models
			}
			if layer == "class_output" {
				layer = "linear"
			}
		} else if unused.MatchString(name) {
			continue
		} else if strings.Contains(name, "bn") || strings.Contains(name, "norm") {
			return net, nil, fmt.Errorf("normalization layer %q is not supported; train without it (--norm none is the authors' default)", name)
		} else {
			return net, nil, fmt.Errorf("%q is not a weight of the authors' Wide ResNet; names are conv1, layer1.0.conv1 …, linear or class_output", name)
		}
		t, err := toLayout(plain[name], part)
		if err != nil {
			return net, nil, fmt.Errorf("%q: %w", name, err)
		}
		key := layer + "/" + part
		if other, ok := names[key]; ok {
			return net, nil, fmt.Errorf("%q exists twice, also as %q; leave one of them out", name, other)
		}
		weights[key], names[key] = t, name
	}
	first, ok := plain["layer1.0.conv1.weight"]
	if !ok || blocks == 0 {
		return net, nil, errors.New("layer1.0.conv1.weight, which has the network's width, is missing")
	}
	if channels := first.Shape[0]; channels%16 != 0 {
		return net, nil, fmt.Errorf("layer1.0.conv1.weight has %d channels; those of a Wide ResNet are a multiple of 16", channels)
	}
	if blocks > maxBlocks {
		return net, nil, fmt.Errorf("it has %d blocks in a group; more than %d are refused", blocks, maxBlocks)
	}
	return nets.WideResNet{Depth: 6*blocks + 4, Width: first.Shape[0] / 16}, weights, nil
}

// maxBlocks bounds the depth, 6·20+4: a deeper network takes minutes to compile.
const maxBlocks = 20

// complete checks the largest weights of each block before a network of that size is
// built.
func complete(net nets.WideResNet, weights map[string]*tensors.Tensor) error {
	for group := range 3 {
		channels := 16 * net.Width << group
		for b := range (net.Depth - 4) / 6 {
			name := fmt.Sprintf("layer%d.%d/conv2/weight", group+1, b)
			want := []int{3, 3, channels, channels}
			if w := weights[name]; w == nil {
				return fmt.Errorf("%s of %s is missing", name, net)
			} else if got := w.Shape().Dimensions; !slices.Equal(got, want) {
				return fmt.Errorf("%s of %s has the shape %v here, not %v", name, net, got, want)
			}
		}
	}
	return nil
}

// toLayout transposes an array into the layout of this project's layers.
func toLayout(a *format.Array, part string) (*tensors.Tensor, error) {
	switch a.Type {
	case format.Float16, format.BFloat16, format.Float32, format.Float64:
	default:
		return nil, fmt.Errorf("it holds %s; weights are float16, bfloat16, float32 or float64", a.Type)
	}
	values, s := a.Floats(), a.Shape
	for i, v := range values {
		if v := float64(float32(v)); math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("value %d (from 0) of shape %v is %v as float32; weights must be finite", i, s, v)
		}
	}
	single := make([]float32, len(values))
	switch {
	case part == "bias" && len(s) == 1:
		for i, v := range values {
			single[i] = float32(v)
		}
		return tensors.FromFlatDataAndDimensions(single, s...), nil
	case part == "weight" && (len(s) == 2 || len(s) == 4):
		out, in := s[0], s[1]
		positions := len(values) / (out * in) // height·width, 1 of a linear layer
		for o := range out {
			for i := range in {
				for p := range positions {
					single[(p*in+i)*out+o] = float32(values[(o*in+i)*positions+p])
				}
			}
		}
		return tensors.FromFlatDataAndDimensions(single, append(slices.Clone(s[2:]), in, out)...), nil
	}
	return nil, fmt.Errorf("its shape %v is not that of a %s", s, part)
}
