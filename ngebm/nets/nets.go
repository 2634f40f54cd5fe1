// Package nets has the networks, functions from inputs to logits. Weights are initialized
// as by PyTorch.
//
// To add a network, implement [Network] with [Dense], [Conv], [GroupNorm], [Dropout],
// [AvgPool2D], [MaxPool2D] or GoMLX layers that can be differentiated twice, and pass it to
// the training run. Dense and Conv draw
// their weights in Go from the run's seed, so that every backend has the same initial
// weights. GoMLX's layers draw theirs on the device. A network that also implements
// [Featured] can be used with OOD detectors that look at features.
package nets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data/nearest"
)

// Network turns inputs into logits.
type Network interface {
	// String names the network and everything that determines its shape
	// ("wrn-10-2"). It is part of what identifies a run. So are the graph and the
	// initial weights of a network of your own: an edit under the same name is
	// another run.
	String() string
	// Logits builds the network in scope on x and returns logits shaped
	// [batch, classes]. x is shaped [batch, height, width, channels] for images,
	// with pixels in [-1,1], and [batch, n] for points and rows. An example's
	// logits must depend on that example only. It is called once for each use
	// in a graph, each time with a scope in which the same names are the same
	// weights. It panics where x has a shape that the network cannot take.
	Logits(scope *model.Scope, x *Node, classes int) *Node
}

// Known lists the forms of name that [Parse] takes, each with what it is.
func Known() [][2]string {
	return [][2]string{
		{"mlp-W-W…", "fully connected, a hidden layer of each width W, SiLU: mlp-128-128"},
		{"mlp-lrelu-W-W…", "the same with LeakyReLU .2"},
		{"convnet", "three convolutions (16, 32, 64 channels), LeakyReLU .2, mean over positions; images"},
		{"wrn-D-W", "Wide ResNet of depth D = 6n+4 and width W without normalization, as the paper's wrn-28-10; images"},
		{"resnet-18, resnet-18-W", "ResNet-18 for small images, W channels in the first stage in place of 64, batch normalization and ReLU; images"},
		{"NETWORK+PART…", "convnet, wrn or resnet with a normalization (" + names(Norms()) + "), an activation (" + strings.Join(Activations(), ", ") + ") or dropoutRATE: wrn-10-2+group+silu+dropout.3"},
		{"NETWORK+gauge-HEAD", "a network and a number that a head adds to all its logits, which changes E alone: exact, logits, mlp, network"},
	}
}

// Bounds of named networks: a name may come from an untrusted run.
const (
	maxHidden = 32   // layers
	maxDepth  = 100  // of a Wide ResNet; the deepest ones published have 40
	maxWidth  = 1024 // of a Wide ResNet; the widest ones published have 20
)

// Parse returns the network of that name; see [Known].
func Parse(name string) (Network, error) {
	if net, head, ok := strings.Cut(name, gaugeMark); ok {
		return parseGauge(net, head)
	}
	base, parts, styled := strings.Cut(strings.ToLower(name), "+")
	if styled && parts == "" {
		parts = "+" // of no name, which is refused
	}
	kind, rest, _ := strings.Cut(base, "-")
	switch kind {
	case "mlp":
		if parts != "" {
			return nil, fmt.Errorf("nets: %.60q has parts, which an mlp does not have; use convnet, wrn-D-W or resnet-18", name)
		}
		m := MLP{}
		if r, ok := strings.CutPrefix(rest, "lrelu-"); ok {
			m.LeakyReLU, rest = true, r
		}
		widths, err := numbers(rest)
		if err != nil {
			return nil, fmt.Errorf("nets: %q is not a network: after mlp- come the widths of the hidden layers, as in mlp-128-128", name)
		}
		if len(widths) > maxHidden {
			return nil, fmt.Errorf("nets: an mlp of %d hidden layers; give %d or fewer, more take minutes to compile", len(widths), maxHidden)
		}
		m.Hidden = widths
		return m, nil
	case "convnet":
		if rest == "" {
			style, err := parseStyle(name, parts, plainStyle)
			return ConvNet{Channels: []int{16, 32, 64}, Style: style}, err
		}
	case "resnet":
		n, err := numbers(rest)
		if err != nil || len(n) > 2 || n[0] != 18 {
			return nil, fmt.Errorf("nets: %.60q is not a network: a ResNet is named resnet-18, or resnet-18-WIDTH, as in resnet-18-16", name)
		}
		r := ResNet18{Width: append(n, resnetWidth)[1]}
		if r.Width%normGroups != 0 || r.Width > maxWidth {
			return nil, fmt.Errorf("nets: %.60q has a width of %d; it must be a multiple of %d and at most %d", name, r.Width, normGroups, maxWidth)
		}
		r.Style, err = parseStyle(name, parts, resnetStyle)
		return r, err
	case "wrn":
		n, err := numbers(rest)
		if err != nil || len(n) != 2 {
			return nil, fmt.Errorf("nets: %q is not a network: a Wide ResNet is named wrn-DEPTH-WIDTH, as in wrn-10-2", name)
		}
		w := WideResNet{Depth: n[0], Width: n[1]}
		if n[0] < 10 || (n[0]-4)%6 != 0 {
			return nil, fmt.Errorf("nets: %q has depth %d; a Wide ResNet's depth is 6n+4: 10, 16, 22, 28 …", name, n[0])
		}
		if n[0] > maxDepth || n[1] > maxWidth {
			return nil, fmt.Errorf("nets: %q is too large: a Wide ResNet has a depth of %d and a width of %d at most", name, maxDepth, maxWidth)
		}
		w.Style, err = parseStyle(name, parts, plainStyle)
		return w, err
	}
	var forms, kinds []string
	for _, k := range Known() {
		known, _, _ := strings.Cut(k[0], "-")
		forms, kinds = append(forms, k[0]), append(kinds, known)
	}
	hint := ""
	if at := slices.Index(kinds, nearest.Name(kind, kinds)); at >= 0 {
		hint = fmt.Sprintf(" (did you mean %s?)", forms[at])
	}
	return nil, fmt.Errorf("nets: no network is named %.60q%s; known are %s", name, hint, strings.Join(forms, ", "))
}

// names lists the first of each pair.
func names(pairs [][2]string) string {
	var all []string
	for _, p := range pairs {
		all = append(all, p[0])
	}
	return strings.Join(all, ", ")
}

// numbers reads positive integers with hyphens between them.
func numbers(s string) ([]int, error) {
	var out []int
	for _, f := range strings.Split(s, "-") {
		n, err := strconv.Atoi(f)
		if err != nil {
			return nil, err
		}
		if n <= 0 || n > 1<<16 {
			return nil, fmt.Errorf("%d is not a size", n)
		}
		out = append(out, n)
	}
	return out, nil
}
