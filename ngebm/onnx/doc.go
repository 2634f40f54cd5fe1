// Package onnx writes a classifier as an ONNX file, which ONNX Runtime and other programs run
// without this one.
//
// The file has one input and three outputs. Their first axis is the batch, of any size:
//
//	input          [batch, shape…]    float32, as the network has it: images are [batch, height,
//	                                  width, channels] (NHWC) with pixels in [-1,1], and rows
//	                                  of a table standardized as the metadata's "encoder" says
//	logits         [batch, classes]   f(x)
//	probabilities  [batch, classes]   softmax(f(x)/T), with T the temperature
//	energy         [batch]            E(x) = logsumexp f(x), without T: larger where the model
//	                                  finds the input more likely (most of the field has -E)
//
// Pixels are scaled from 0 … the largest value to [-1,1]: a byte p is 2·p/255-1. In Python:
//
//	session = onnxruntime.InferenceSession("model.onnx")
//	logits, probabilities, energy = session.run(None, {"input": x})
//
// The network is translated from its GoMLX graph, operation by operation, so that it may be
// one of your own. The graph is traced for two batch sizes; what differs between the two is
// the batch. Convolutions, which have channels first in ONNX, have their kernels stored so; an
// image is transposed once, after the input. Where an operation has no translation the error
// names it.
package onnx
