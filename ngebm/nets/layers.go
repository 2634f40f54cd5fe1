package nets

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"ngebm/ngebm/internal/convgrad"
)

// seedParam is the store's hyper-parameter that weights are drawn from.
const seedParam = "ngebm_seed"

// Seed sets the seed from which [Dense] and [Conv] draw each weight of the store.
func Seed(store *model.Store, seed uint64) {
	store.SetParam(seedParam, seed)
}

// existing returns the named variable in scope, nil if there is none. It panics if it has
// another shape.
func existing(scope *model.Scope, name string, dims ...int) *model.Variable {
	v := scope.GetVariable(name)
	if v == nil || !v.HasValue() {
		return nil
	}
	if have := v.Shape().Dimensions; !slices.Equal(have, dims) {
		exceptions.Panicf("nets: %s is shaped %v, but a layer asks for it shaped %v; two layers share a scope name; give each its own, as in scope.In(\"second\")", v.Path(), have, dims)
	}
	return v
}

// Uniform returns the named weight in scope, shaped dims. A new one is drawn
// from U(-1/√fanIn, 1/√fanIn), PyTorch's default for weights and biases of linear and
// convolutional layers (kaiming_uniform with a = √5 has this bound), from the store's seed
// and the weight's path. It panics if the weight exists with another shape.
func Uniform(scope *model.Scope, g *Graph, name string, dtype dtypes.DType, fanIn int, dims ...int) *Node {
	if v := existing(scope, name, dims...); v != nil {
		return v.NodeValue(g)
	}
	path := fnv.New64a()
	path.Write([]byte(model.JoinPath(scope.Scope(), name)))
	rng := rand.New(rand.NewPCG(model.GetRootParamOr(scope.Store(), seedParam, uint64(0)), path.Sum64()))
	bound := 1 / math.Sqrt(float64(fanIn))
	size := 1
	for _, d := range dims {
		size *= d
	}
	values := make([]float64, size)
	for i := range values {
		values[i] = (2*rng.Float64() - 1) * bound
	}
	return scope.VariableWithValue(name, tensorOf(dtype, values, dims)).NodeValue(g)
}

// tensorOf rounds values to dtype.
func tensorOf(dtype dtypes.DType, values []float64, dims []int) *tensors.Tensor {
	switch dtype {
	case dtypes.Float64:
		return tensors.FromFlatDataAndDimensions(values, dims...)
	case dtypes.Float32:
		single := make([]float32, len(values))
		for i, v := range values {
			single[i] = float32(v)
		}
		return tensors.FromFlatDataAndDimensions(single, dims...)
	}
	exceptions.Panicf("nets: inputs are %s; weights can be float32 or float64", dtype)
	return nil
}

// Dense returns x·W + b, shaped [batch, width], for x shaped [batch, in]. The
// weights are "weight", shaped [in, width], and "bias", shaped [width], in scope.
func Dense(scope *model.Scope, x *Node, width int) *Node {
	if s := x.Shape().Dimensions; len(s) != 2 {
		exceptions.Panicf("nets: Dense takes [batch, values], but its input is shaped %v; flatten it first: Reshape(x, x.Shape().Dimensions[0], -1)", s)
	}
	in := x.Shape().Dimensions[1]
	w := Uniform(scope, x.Graph(), "weight", x.DType(), in, in, width)
	b := Uniform(scope, x.Graph(), "bias", x.DType(), in, width)
	return Add(Dot(x, w).Product(), InsertAxes(b, 0))
}

// Conv returns a convolution with bias of x, shaped [batch, height, width, in],
// with size×size kernels, padded by size/2 with zeros on each side; its output
// is shaped [batch, ⌈height/stride⌉, ⌈width/stride⌉, channels] for odd sizes. The
// weights are "weight", shaped [size, size, in, channels], and "bias", shaped
// [channels], in scope.
func Conv(scope *model.Scope, x *Node, channels, size, stride int) *Node {
	return convolve(scope, x, channels, size, stride, true)
}

// convolve is Conv with or without the bias.
func convolve(scope *model.Scope, x *Node, channels, size, stride int, biased bool) *Node {
	if s := x.Shape().Dimensions; len(s) != 4 {
		exceptions.Panicf("nets: Conv takes images, [batch, height, width, channels], but its input is shaped %v", s)
	}
	in := x.Shape().Dimensions[3]
	fanIn := size * size * in
	w := Uniform(scope, x.Graph(), "weight", x.DType(), fanIn, size, size, in, channels)
	var b *Node
	if biased {
		b = Uniform(scope, x.Graph(), "bias", x.DType(), fanIn, channels)
	}
	pad := size / 2
	y := convgrad.Tiled(Convolve(x, w).StridePerAxis(stride, stride).PaddingPerDim([][2]int{{pad, pad}, {pad, pad}}).Done())
	if !biased {
		return y
	}
	return Add(y, InsertAxes(b, 0, 0, 0))
}

// LeakyReLU is max(x, 0.2·x), the slope that the authors of NG-EBM use.
func LeakyReLU(x *Node) *Node {
	return Where(GreaterThan(x, ZerosLike(x)), x, MulScalar(x, 0.2))
}

// SiLU is x·σ(x): smooth, so that derivatives of the gradient norm exist
// everywhere.
func SiLU(x *Node) *Node { return Mul(x, Sigmoid(x)) }

// GELU is x·Φ(x), with the normal distribution's Φ from the error function, as nn.GELU()
// has it: smooth as [SiLU].
func GELU(x *Node) *Node {
	return MulScalar(Mul(x, AddScalar(Erf(MulScalar(x, math.Sqrt2/2)), 1)), .5)
}

// meanOverPositions averages [batch, height, width, channels] over height and
// width.
func meanOverPositions(x *Node) *Node { return ReduceMean(x, 1, 2) }

// mustBeImages panics where x is not a batch of images at least side pixels
// high and wide.
func mustBeImages(net Network, x *Node, side int) {
	s := x.Shape().Dimensions
	if len(s) != 4 || s[1] < side || s[2] < side {
		exceptions.Panicf("nets: %s wants images of at least %dx%d pixels, but an example here is shaped %v; for points and small inputs use an mlp", net, side, side, s[1:])
	}
}
