package convgrad

import (
	"fmt"
	"reflect"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
)

// parameters are those of a convolution node, as [ConvGeneral] takes them, with
// the defaults filled in: one value for each spatial axis.
type parameters struct {
	axes                                     compute.ConvolveAxesConfig
	strides, inputDilations, kernelDilations []int
	paddings                                 [][2]int
	channelGroups, batchGroups               int
}

// parametersOf reads a node's parameters. GoMLX keeps them in fields that it does
// not export and offers no other way to them; reflection may read such fields (not
// write them), by the names they have in v0.28.8.
func parametersOf(node *Node) parameters {
	inputs := field(reflect.ValueOf(node).Elem(), "inputs").Elem().Elem()
	axes := field(inputs, "axes")
	one := func(v reflect.Value, name string) int { return int(field(v, name).Int()) }
	p := parameters{
		axes: compute.ConvolveAxesConfig{
			InputBatch:           one(axes, "InputBatch"),
			InputChannels:        one(axes, "InputChannels"),
			InputSpatial:         ints(field(axes, "InputSpatial")),
			KernelInputChannels:  one(axes, "KernelInputChannels"),
			KernelOutputChannels: one(axes, "KernelOutputChannels"),
			KernelSpatial:        ints(field(axes, "KernelSpatial")),
			OutputBatch:          one(axes, "OutputBatch"),
			OutputChannels:       one(axes, "OutputChannels"),
			OutputSpatial:        ints(field(axes, "OutputSpatial")),
		},
		channelGroups: one(inputs, "channelGroupCount"),
		batchGroups:   one(inputs, "batchGroupCount"),
	}
	rank := len(p.axes.InputSpatial)
	p.strides = orOnes(ints(field(inputs, "strides")), rank)
	p.inputDilations = orOnes(ints(field(inputs, "inputDilations")), rank)
	p.kernelDilations = orOnes(ints(field(inputs, "kernelDilations")), rank)
	p.paddings = make([][2]int, rank)
	for i, pads := 0, field(inputs, "paddings"); i < pads.Len(); i++ {
		p.paddings[i] = [2]int(ints(pads.Index(i)))
	}
	return p
}

func field(of reflect.Value, name string) reflect.Value {
	f := of.FieldByName(name)
	if !f.IsValid() {
		panic(fmt.Errorf("convgrad: GoMLX's %s has no field %q: this package was written for v0.28.8 (go.mod) and is not needed from v0.28.11 on", of.Type(), name))
	}
	return f
}

// ints copies a slice or an array of integers.
func ints(v reflect.Value) []int {
	out := make([]int, v.Len())
	for i := range out {
		out[i] = int(v.Index(i).Int())
	}
	return out
}

func orOnes(values []int, n int) []int {
	for len(values) < n { // empty: not asked for
		values = append(values, 1)
	}
	return values
}
