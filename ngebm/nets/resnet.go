package nets

import (
	"fmt"
	"iter"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// ResNet18 is the network of He et al. (2016) in the form for images of 32×32 pixels that
// most papers on CIFAR-10 call ResNet-18: a 3×3 convolution without pooling, four stages of
// two blocks with 1, 2, 4 and 8 times Width channels, and the mean over positions.
// Convolutions have biases only where nothing normalizes them. With Width 64, batch
// normalization and ten classes it has 11,173,962 parameters.
type ResNet18 struct {
	Width int // channels of the first stage; 64 is the paper's
	Style
}

// resnetWidth is the width of a ResNet-18 that is not named.
const resnetWidth = 64

// resnetStyle is the one that [ResNet18] chooses.
var resnetStyle = Style{Norm: "batch", Activation: "relu"}

// resnetMomentum is torch.nn.BatchNorm2d's.
const resnetMomentum = .1

// String implements [Network]: "resnet-18", "resnet-18-8+group+silu".
func (r ResNet18) String() string {
	if r.Width == resnetWidth {
		return "resnet-18" + r.suffix()
	}
	return fmt.Sprintf("resnet-18-%d%s", r.Width, r.suffix())
}

// Logits implements [Network]. The names follow the usual PyTorch modules: conv1, bn1,
// layer1.0/conv1, layer1.0/bn1 …, linear; a shortcut's normalization is shortcut_bn.
func (r ResNet18) Logits(scope *model.Scope, x *Node, classes int) *Node {
	return Dense(scope.In("%s", r.Head()), r.Features(scope, x), classes)
}

// Head is the scope of the last layer.
func (ResNet18) Head() string { return "linear" }

// Features is the input of the last layer: the mean over positions of the last block.
func (r ResNet18) Features(scope *model.Scope, x *Node) *Node {
	mustBeImages(r, x, 4)
	s := r.Style.or(resnetStyle)
	layer := func(conv, norm *model.Scope, x *Node, channels, size, stride int) *Node {
		return s.normalize(norm, convolve(conv, x, channels, size, stride, s.Norm == "none"), resnetMomentum)
	}
	x = s.activate(layer(scope.In("conv1"), scope.In("bn1"), x, r.Width, 3, 1))
	for stage := range 4 {
		for block := range 2 {
			in, channels, stride := scope.In("layer%d.%d", stage+1, block), r.Width<<stage, 1
			if stage > 0 && block == 0 {
				stride = 2
			}
			y := s.activate(layer(in.In("conv1"), in.In("bn1"), x, channels, 3, stride))
			y = layer(in.In("conv2"), in.In("bn2"), y, channels, 3, 1)
			if stride != 1 {
				x = layer(in.In("shortcut"), in.In("shortcut_bn"), x, channels, 1, stride)
			}
			x = s.activate(Add(x, y))
		}
	}
	return Dropout(scope, meanOverPositions(x), s.Dropout)
}

// UsesBatches and LearnsFromBatches implement [BatchStatistics].
func (r ResNet18) UsesBatches() bool       { return r.Style.or(resnetStyle).usesBatches() }
func (r ResNet18) LearnsFromBatches() bool { return r.Style.or(resnetStyle).learnsFromBatches() }

// Weights implements [Sized].
func (r ResNet18) Weights(shape []int, classes int) iter.Seq2[string, []int] {
	return func(yield func(string, []int) bool) {
		s := r.Style.or(resnetStyle)
		pair := func(conv, norm string, size, in, channels int) bool {
			return yield(conv+"/weight", []int{size, size, in, channels}) &&
				(s.Norm != "none" || yield(conv+"/bias", []int{channels})) && s.weights(yield, norm, channels)
		}
		if !pair("conv1", "bn1", 3, shape[len(shape)-1], r.Width) {
			return
		}
		in := r.Width
		for stage := range 4 {
			for block := range 2 {
				name, channels := fmt.Sprintf("layer%d.%d/", stage+1, block), r.Width<<stage
				if !pair(name+"conv1", name+"bn1", 3, in, channels) || !pair(name+"conv2", name+"bn2", 3, channels, channels) {
					return
				}
				if stage > 0 && block == 0 && !pair(name+"shortcut", name+"shortcut_bn", 1, in, channels) {
					return
				}
				in = channels
			}
		}
		layer(yield, "linear", in, classes)
	}
}

// Widest implements [Sized]. The first stage has the most positions.
func (r ResNet18) Widest(shape []int, classes int) int {
	return max(Size(shape), classes, Size(shape[:len(shape)-1])*r.Width)
}
