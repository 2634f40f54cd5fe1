// Package format reads the files that image sets are published in: IDX (MNIST
// and its relatives), MAT v5 (SVHN), NPY and NPZ (CIFAR-10-C, MedMNIST, Keras);
// and safetensors, in which weights are. It gives the arrays as they are; what the
// numbers mean belongs to the set.
//
// Every reader takes its file for hostile. It refuses what is cut short, continues
// after its end, contradicts itself or is not of the format, and says so with
// the place; the caller adds the name of the file. Memory is taken as bytes
// arrive, never because a header promises them, and arrays of more bytes than
// the caller's limit are refused before their values are read, so that a small
// compressed file cannot fill the memory.
package format

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Type is the type of an array's numbers, by its name in Go: "uint8", "int64",
// "float32", "bool" and so on.
type Type string

// The types of numbers that occur in files.
const (
	Bool    Type = "bool"
	Uint8   Type = "uint8"
	Uint16  Type = "uint16"
	Uint32  Type = "uint32"
	Uint64  Type = "uint64"
	Int8    Type = "int8"
	Int16   Type = "int16"
	Int32   Type = "int32"
	Int64   Type = "int64"
	Float16 Type = "float16"
	Float32 Type = "float32"
	Float64 Type = "float64"
	// BFloat16 is the first half of a float32.
	BFloat16 Type = "bfloat16"
)

// size is the number of bytes of one number, 0 for what is no type.
func (t Type) size() int {
	switch t {
	case Bool, Uint8, Int8:
		return 1
	case Uint16, Int16, Float16, BFloat16:
		return 2
	case Uint32, Int32, Float32:
		return 4
	case Uint64, Int64, Float64:
		return 8
	}
	return 0
}

// Array is an array of numbers. None of its dimensions is 0.
type Array struct {
	// Shape is its dimensions; it is empty for a single number.
	Shape []int
	// Type is that of the numbers in the program that wrote them. A MAT file may
	// hold the numbers themselves in a smaller one.
	Type Type
	// ColumnMajor says that of all indices the first runs fastest through the
	// values, not the last. Of the readers here only [ReadMAT] gives such
	// arrays; [Array.RowMajor] turns them.
	ColumnMajor bool

	stored Type
	order  binary.ByteOrder
	raw    []byte
}

// Len returns the number of values.
func (a *Array) Len() int { return len(a.raw) / a.stored.size() }

// Bytes returns the values of an array that holds bytes, without a copy. The
// error names the type where it holds something else.
func (a *Array) Bytes() ([]uint8, error) {
	if a.stored != Uint8 {
		return nil, fmt.Errorf("it holds %s, not uint8", a.stored)
	}
	return a.raw, nil
}

// Integers returns the values as whole numbers, whatever their type (booleans
// as 0 and 1). The error names the first that is none, or is beyond 2^53, from
// where on float64 leaves numbers out.
func (a *Array) Integers() ([]int64, error) {
	values := make([]int64, a.Len())
	for i := range values {
		switch v, whole := a.at(i); {
		case !whole:
			return nil, fmt.Errorf("value %d (from 0) is %v, no whole number", i, v)
		case math.Abs(v) > 1<<53:
			return nil, fmt.Errorf("value %d (from 0) is %v, beyond 2^53", i, v)
		default:
			values[i] = int64(v)
		}
	}
	return values, nil
}

// Floats returns the values as float64, whatever their type (booleans as 0 and 1;
// integers beyond 2^53 are rounded).
func (a *Array) Floats() []float64 {
	values := make([]float64, a.Len())
	for i := range values {
		values[i], _ = a.at(i)
	}
	return values
}

// at returns value i and whether it is whole.
func (a *Array) at(i int) (v float64, whole bool) {
	b := a.raw[i*a.stored.size():]
	switch a.stored {
	case Bool:
		return float64(min(b[0], 1)), true
	case Uint8:
		return float64(b[0]), true
	case Int8:
		return float64(int8(b[0])), true
	case Uint16:
		return float64(a.order.Uint16(b)), true
	case Int16:
		return float64(int16(a.order.Uint16(b))), true
	case Uint32:
		return float64(a.order.Uint32(b)), true
	case Int32:
		return float64(int32(a.order.Uint32(b))), true
	case Uint64:
		return float64(a.order.Uint64(b)), true
	case Int64:
		return float64(int64(a.order.Uint64(b))), true
	case Float16:
		v = half(a.order.Uint16(b))
	case BFloat16:
		v = float64(math.Float32frombits(uint32(a.order.Uint16(b)) << 16))
	case Float32:
		v = float64(math.Float32frombits(a.order.Uint32(b)))
	default:
		v = math.Float64frombits(a.order.Uint64(b))
	}
	return v, v == math.Trunc(v) // false for NaN; infinities are beyond 2^53
}

// half is the value of a float16 (binary16 of IEEE 754): a sign, 5 bits of exponent,
// 10 of fraction.
func half(bits uint16) float64 {
	sign, exponent, fraction := 1-2*float64(bits>>15), int(bits>>10&31), float64(bits&1023)
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -24)
	case 31:
		if fraction != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}

// RowMajor returns the array with its last index running fastest: itself where
// that is so, else a turned copy.
func (a *Array) RowMajor() *Array {
	if !a.ColumnMajor {
		return a
	}
	turned := *a
	turned.ColumnMajor = false
	size := a.stored.size()
	turned.raw = make([]byte, 0, len(a.raw))
	index := make([]int, len(a.Shape))
	step := make([]int, len(a.Shape)) // values from one to the next along a dimension
	for d, n := 0, size; d < len(step); d++ {
		step[d] = n
		n *= a.Shape[d]
	}
	from := 0
	for range a.Len() {
		turned.raw = append(turned.raw, a.raw[from:from+size]...)
		for d, n := range slices.Backward(a.Shape) { // on to the next, carrying over
			from += step[d]
			if index[d]++; index[d] < n {
				break
			}
			from -= n * step[d]
			index[d] = 0
		}
	}
	return &turned
}
