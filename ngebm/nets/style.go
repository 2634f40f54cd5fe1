package nets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// Style is what a convolutional network has besides its convolutions. What is left open is
// the network's own choice: no normalization and LeakyReLU for [ConvNet] and [WideResNet],
// batch normalization and ReLU for [ResNet18].
type Style struct {
	Norm       string  // one of Norms
	Activation string  // one of Activations
	Dropout    float64 // in [0,1)
}

// Norms lists the normalizations of [Style].Norm, each with what it is; the authors of NG-EBM
// have all but group, as --norm.
func Norms() [][2]string {
	return [][2]string{
		{"none", "no normalization"},
		{"instance", "InstanceNorm, a channel of an example by itself"},
		{"layer", "LayerNorm, all channels of an example together"},
		{"group", "GroupNorm with 8 groups of channels"},
		{"act", "ActNorm, a factor and an offset that the first batch sets"},
		{"batch", "BatchNorm, only where beta=0 and gamma=0"},
	}
}

// Activations lists the values of [Style].Activation.
func Activations() []string { return []string{"lrelu", "relu", "silu", "gelu"} }

// normGroups are those of the norm "group"; all channels of named networks are multiples.
const normGroups = 8

// plainStyle is the one that [ConvNet] and [WideResNet] choose.
var plainStyle = Style{Norm: "none", Activation: "lrelu"}

// or fills in what is left open.
func (s Style) or(own Style) Style {
	if s.Norm == "" {
		s.Norm = own.Norm
	}
	if s.Activation == "" {
		s.Activation = own.Activation
	}
	return s
}

// suffix is the style in the network's name: "+group+silu+dropout.3".
func (s Style) suffix() string {
	var b strings.Builder
	for _, part := range []string{s.Norm, s.Activation} {
		if part != "" {
			b.WriteString("+" + part)
		}
	}
	if s.Dropout != 0 {
		b.WriteString("+dropout" + strings.TrimPrefix(strconv.FormatFloat(s.Dropout, 'f', -1, 64), "0"))
	}
	return b.String()
}

// parseStyle reads what follows a network's name, parts with + between them.
func parseStyle(name, parts string, own Style) (Style, error) {
	var s Style
	if parts == "" {
		return s, nil
	}
	var norms []string
	for _, n := range Norms() {
		norms = append(norms, n[0])
	}
	for _, part := range strings.Split(parts, "+") {
		rate, isRate := strings.CutPrefix(part, "dropout")
		switch {
		case slices.Contains(norms, part) && s.Norm == "":
			s.Norm = part
		case slices.Contains(Activations(), part) && s.Activation == "":
			s.Activation = part
		case isRate && s.Dropout == 0:
			p, err := strconv.ParseFloat(rate, 64)
			if err != nil || !(p > 0 && p < 1) {
				return s, fmt.Errorf("nets: %.60q drops out %.20q; after dropout comes a number above 0 and below 1, as in dropout.3", name, rate)
			}
			s.Dropout = p
		default:
			return s, fmt.Errorf("nets: %.60q has a part %.20q; after a + comes a normalization (%s), an activation (%s) or dropout with its rate, each at most once", name, part, strings.Join(norms, ", "), strings.Join(Activations(), ", "))
		}
	}
	if s.Norm == own.Norm {
		s.Norm = ""
	}
	if s.Activation == own.Activation {
		s.Activation = ""
	}
	return s, nil
}

// normalize applies the style's normalization, whose weights are in scope. momentum is
// [BatchNorm]'s.
func (s Style) normalize(scope *model.Scope, x *Node, momentum float64) *Node {
	switch s.Norm {
	case "instance":
		return InstanceNorm(scope, x)
	case "layer":
		return LayerNorm(scope, x)
	case "group":
		return GroupNorm(scope, x, normGroups)
	case "act":
		return ActNorm(scope, x)
	case "batch":
		return BatchNorm(scope, x, momentum)
	}
	return x
}

// activate applies the style's activation.
func (s Style) activate(x *Node) *Node {
	switch s.Activation {
	case "relu":
		return Max(x, ZerosLike(x))
	case "silu":
		return SiLU(x)
	case "gelu":
		return GELU(x)
	}
	return LeakyReLU(x)
}

// weights yields those of the normalization of a layer with that many channels, and returns
// false if no more are wanted.
func (s Style) weights(yield func(string, []int) bool, name string, channels int) bool {
	names := []string{"weight", "bias"}
	switch s.Norm {
	case "none":
		return true
	case "act":
		if !yield(name+"/initialized", []int{1}) {
			return false
		}
		names = []string{"loc", "scale"}
	case "batch":
		names = append(names, "running_mean", "running_var")
	}
	for _, n := range names {
		if !yield(name+"/"+n, []int{channels}) {
			return false
		}
	}
	return true
}

// BatchStatistics is implemented by networks in whose training layers may keep statistics of
// whole batches.
type BatchStatistics interface {
	// UsesBatches reports whether an example's logits depend on the others of its batch in
	// training, as BatchNorm makes them.
	UsesBatches() bool
	// LearnsFromBatches reports whether a layer takes weights from batches other than by
	// their gradients, as BatchNorm and ActNorm do.
	LearnsFromBatches() bool
}

func (s Style) usesBatches() bool       { return s.Norm == "batch" }
func (s Style) learnsFromBatches() bool { return s.Norm == "batch" || s.Norm == "act" }
