package onnx_test

import (
	"fmt"
	"io"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm"
	"ngebm/ngebm/device"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/onnx"
)

// pooled is a network of one's own.
type pooled struct{}

func (pooled) String() string { return "pooled" }

func (pooled) Logits(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
	x = nets.MaxPool2D(nets.LeakyReLU(nets.Conv(scope.In("edges"), x, 8, 3, 1)), 2)
	return nets.Dense(scope.In("answer"), graph.Reshape(x, x.Shape().Dimensions[0], -1), classes)
}

// Write a classifier as an ONNX file. A trained one is run.Classifier.
func ExampleExport() {
	dev, err := device.Open("go", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := ngebm.NewClassifier(dev.Backend, pooled{}, 1, []int{8, 8, 1}, []string{"cat", "dog", "owl"})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := onnx.Export(c, onnx.Options{Temperature: 1.3})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := m.WriteTo(io.Discard); err != nil { // a file
		fmt.Println(err)
		return
	}
	fmt.Println(m.Inputs[0].Name, m.Inputs[0].Shape)
	for _, o := range m.Outputs {
		fmt.Println(o.Name, o.Shape)
	}
	// Output:
	// input [batch 8 8 1]
	// logits [batch 3]
	// probabilities [batch 3]
	// energy [batch]
}
