package nets

import (
	"fmt"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// MLP is a fully connected network with one hidden layer of each width, SiLU
// between them (LeakyReLU .2 if asked). It takes inputs of any shape.
type MLP struct {
	Hidden    []int
	LeakyReLU bool
}

// String implements [Network]: "mlp-128-128", "mlp-lrelu-128-128".
func (m MLP) String() string {
	var b strings.Builder
	b.WriteString("mlp")
	if m.LeakyReLU {
		b.WriteString("-lrelu")
	}
	for _, w := range m.Hidden {
		fmt.Fprintf(&b, "-%d", w)
	}
	return b.String()
}

// Logits implements [Network]. The layers are fc0, fc1, ….
func (m MLP) Logits(scope *model.Scope, x *Node, classes int) *Node {
	return Dense(scope.In("%s", m.Head()), m.Features(scope, x), classes)
}

// Head implements [Featured].
func (m MLP) Head() string { return fmt.Sprintf("fc%d", len(m.Hidden)) }

// Features implements [Featured]: the last hidden layer after its activation, or the input.
func (m MLP) Features(scope *model.Scope, x *Node) *Node {
	act := SiLU
	if m.LeakyReLU {
		act = LeakyReLU
	}
	x = Reshape(x, x.Shape().Dimensions[0], -1)
	for i, width := range m.Hidden {
		x = act(Dense(scope.In("fc%d", i), x, width))
	}
	return x
}

// ConvNet is a small network for small images: a 3×3 convolution for each entry
// of Channels, the first with stride 1 and the others with stride 2, LeakyReLU
// .2 after each, the mean over positions and a linear layer. With 16, 32 and 64
// channels, one input channel and ten classes it has 23,946 parameters.
type ConvNet struct {
	Channels []int
	Style    // normalization before each activation, dropout before the linear layer
}

// String implements [Network].
func (c ConvNet) String() string {
	if len(c.Channels) == 3 && c.Channels[0] == 16 && c.Channels[1] == 32 && c.Channels[2] == 64 {
		return "convnet" + c.suffix()
	}
	return "convnet" + strings.ReplaceAll(strings.Trim(fmt.Sprint(c.Channels), "[]"), " ", "-") + c.suffix()
}

// Logits implements [Network].
func (c ConvNet) Logits(scope *model.Scope, x *Node, classes int) *Node {
	return Dense(scope.In("%s", c.Head()), c.Features(scope, x), classes)
}

// Head implements [Featured].
func (ConvNet) Head() string { return "linear" }

// Features implements [Featured]: the mean over positions of the last convolution.
func (c ConvNet) Features(scope *model.Scope, x *Node) *Node {
	mustBeImages(c, x, 4)
	s := c.Style.or(plainStyle)
	for i, channels := range c.Channels {
		stride := min(i+1, 2)
		x = Conv(scope.In("conv%d", i), x, channels, 3, stride)
		x = s.activate(s.normalize(scope.In("norm%d", i), x, convNetMomentum))
	}
	return Dropout(scope, meanOverPositions(x), s.Dropout)
}

// convNetMomentum is torch.nn.BatchNorm2d's.
const convNetMomentum = .1

// UsesBatches and LearnsFromBatches implement [BatchStatistics].
func (c ConvNet) UsesBatches() bool       { return c.usesBatches() }
func (c ConvNet) LearnsFromBatches() bool { return c.learnsFromBatches() }

// WideResNet is the network of Zagoruyko & Komodakis (arXiv 1605.07146) in the
// form that JEM and NG-EBM use: no normalization, biases everywhere, LeakyReLU
// .2 before each convolution of a block, the stride on a block's second
// convolution, and a 1×1 convolution as shortcut where shapes differ. Depth is
// 6n+4. For ten classes and RGB images wrn-10-2 has 303,466 parameters, wrn-16-4
// 2,747,530.
type WideResNet struct {
	Depth, Width int
	Style        // normalization before each activation, dropout after each block's first convolution
}

// String implements [Network].
func (w WideResNet) String() string { return fmt.Sprintf("wrn-%d-%d%s", w.Depth, w.Width, w.suffix()) }

// Logits implements [Network]. The names follow the authors' PyTorch modules:
// conv1, layer1.0.conv1 …, linear.
func (w WideResNet) Logits(scope *model.Scope, x *Node, classes int) *Node {
	return Dense(scope.In("%s", w.Head()), w.Features(scope, x), classes)
}

// Head implements [Featured].
func (WideResNet) Head() string { return "linear" }

// Features implements [Featured]: the mean over positions of the last block, after LeakyReLU.
func (w WideResNet) Features(scope *model.Scope, x *Node) *Node {
	mustBeImages(w, x, 4)
	x = Conv(scope.In("conv1"), x, 16, 3, 1)
	for stage := range 3 {
		channels := 16 * w.Width << stage
		for block := range (w.Depth - 4) / 6 {
			stride := 1
			if stage > 0 && block == 0 {
				stride = 2
			}
			x = w.block(scope.In("layer%d.%d", stage+1, block), x, channels, stride)
		}
	}
	return meanOverPositions(w.activated(scope.In("bn1"), x))
}

// activated is x after the normalization whose weights are in scope, and the activation.
func (w WideResNet) activated(scope *model.Scope, x *Node) *Node {
	s := w.Style.or(plainStyle)
	return s.activate(s.normalize(scope, x, wideMomentum))
}

// wideMomentum is the authors' of NG-EBM.
const wideMomentum = .9

// UsesBatches and LearnsFromBatches implement [BatchStatistics].
func (w WideResNet) UsesBatches() bool       { return w.usesBatches() }
func (w WideResNet) LearnsFromBatches() bool { return w.learnsFromBatches() }

func (w WideResNet) block(scope *model.Scope, x *Node, channels, stride int) *Node {
	y := Conv(scope.In("conv1"), w.activated(scope.In("bn1"), x), channels, 3, 1)
	y = Dropout(scope, y, w.Dropout)
	y = Conv(scope.In("conv2"), w.activated(scope.In("bn2"), y), channels, 3, stride)
	if stride != 1 || x.Shape().Dimensions[3] != channels {
		x = Conv(scope.In("shortcut"), x, channels, 1, stride)
	}
	return Add(x, y)
}
