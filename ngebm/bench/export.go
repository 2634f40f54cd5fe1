package bench

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/ngebm"
	"ngebm/ngebm/onnx"
)

// exportInputs writes an NPZ file with the batch "x" of the given shape, its labels "y",
// and each weight of the classifier under its name.
func exportInputs(path string, c *ngebm.Classifier, x []float32, labels []int32, shape []int) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("bench: cannot write the inputs: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z := zip.NewWriter(f)
	err = errors.Join(writeArray(z, "x", "<f4", shape, x), writeArray(z, "y", "<i4", shape[:1], labels))
	if err == nil {
		err = c.Weights(func(name string, value *tensors.Tensor) error {
			flat, err := tensors.CopyFlatData[float32](value)
			if err != nil {
				return err
			}
			return writeArray(z, name, "<f4", value.Shape().Dimensions, flat)
		})
	}
	return errors.Join(err, z.Close())
}

// exportONNX writes the classifier's ONNX file.
func exportONNX(path string, c *ngebm.Classifier) (err error) {
	m, err := onnx.Export(c, onnx.Options{})
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("bench: cannot write the ONNX file: %w", err)
	}
	_, err = m.WriteTo(f)
	return errors.Join(err, f.Close())
}

// writeArray adds an array in NumPy's format 1.0: magic, length of the header, header
// padded to a multiple of 64 bytes, values.
func writeArray(z *zip.Writer, name, dtype string, shape []int, values any) error {
	w, err := z.Create(name + ".npy")
	if err != nil {
		return err
	}
	dims := strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), "[]")
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }", dtype, dims)
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	if _, err := io.WriteString(w, "\x93NUMPY\x01\x00"); err != nil {
		return err
	}
	if err := binary.Write(w, binary.LittleEndian, uint16(len(header))); err != nil {
		return err
	}
	if _, err := io.WriteString(w, header); err != nil {
		return err
	}
	return binary.Write(w, binary.LittleEndian, values)
}
