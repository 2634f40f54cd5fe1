package format

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// maxSafetensorsHeader bounds the text of the header: some 100 bytes a tensor.
const maxSafetensorsHeader = 16 << 20

// safetensorsTypes are the types that an [Array] can hold.
var safetensorsTypes = map[string]Type{
	"BOOL": Bool, "U8": Uint8, "I8": Int8, "U16": Uint16, "I16": Int16, "U32": Uint32, "I32": Int32,
	"U64": Uint64, "I64": Int64, "F16": Float16, "BF16": BFloat16, "F32": Float32, "F64": Float64,
}

// safetensor is the entry of one tensor in the header.
type safetensor struct {
	name    string
	DType   string    `json:"dtype"`
	Shape   []int64   `json:"shape"`
	Offsets *[2]int64 `json:"data_offsets"` // of its first byte and of the one after its last
}

// ReadSafetensors reads the arrays of a safetensors file, as people exchange the
// weights of PyTorch models in it, by name. limit bounds the bytes of all values
// together.
//
// The format: 8 bytes, the length of the header, little-endian; the header, an object
// in JSON with one entry for each tensor; the values of the tensors in little-endian
// order, without gaps. about is what the header says of the file under "__metadata__".
// https://huggingface.co/docs/safetensors
func ReadSafetensors(r io.Reader, limit int64) (arrays map[string]*Array, about map[string]string, err error) {
	src := &reader{r, 0, "byte"}
	start, err := src.take(8, "length of the header")
	if err != nil {
		return nil, nil, err
	}
	n := binary.LittleEndian.Uint64(start)
	if n > maxSafetensorsHeader {
		return nil, nil, fmt.Errorf("its header has %d bytes: more than %d are refused", n, maxSafetensorsHeader)
	}
	header, err := src.take(int(n), "header")
	if err != nil {
		return nil, nil, err
	}
	entries, about, err := parseSafetensorsHeader(header)
	if err != nil {
		return nil, nil, err
	}
	slices.SortFunc(entries, func(a, b safetensor) int {
		return cmp.Or(cmp.Compare(a.Offsets[0], b.Offsets[0]), cmp.Compare(a.Offsets[1], b.Offsets[1]))
	})
	arrays = map[string]*Array{}
	at := int64(0)
	for _, e := range entries {
		a, size, err := e.array(limit - at)
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %.100q: %w", e.name, err)
		}
		if e.Offsets[0] != at || e.Offsets[1] != at+int64(size) {
			return nil, nil, fmt.Errorf("tensor %.100q: its %d bytes should be from %d to %d, without a gap after the tensor before; the header says from %d to %d",
				e.name, size, at, at+int64(size), e.Offsets[0], e.Offsets[1])
		}
		if a.raw, err = src.take(size, "values"); err != nil {
			return nil, nil, fmt.Errorf("tensor %.100q: %w", e.name, err)
		}
		at += int64(size)
		arrays[e.name] = a
	}
	return arrays, about, src.end()
}

// parseSafetensorsHeader reads the entries one by one, so that a name that is there
// twice is seen.
func parseSafetensorsHeader(text []byte) (entries []safetensor, about map[string]string, err error) {
	bad := func(err error) error { return fmt.Errorf("its header %.60q is no safetensors header: %w", text, err) }
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, nil, bad(errors.Join(errors.New("it is no object in JSON"), err))
	}
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, nil, bad(err)
		}
		name, _ := key.(string) // a key is one
		if seen[name] {
			return nil, nil, bad(fmt.Errorf("%.100q is there twice", name))
		}
		seen[name] = true
		if name == "__metadata__" {
			if err := d.Decode(&about); err != nil {
				return nil, nil, bad(fmt.Errorf("__metadata__: %w", err))
			}
			continue
		}
		e := safetensor{name: name}
		if err := d.Decode(&e); err != nil {
			return nil, nil, bad(fmt.Errorf("tensor %.100q: %w", name, err))
		}
		if e.Offsets == nil {
			return nil, nil, bad(fmt.Errorf("tensor %.100q lacks data_offsets", name))
		}
		entries = append(entries, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, bad(err)
	}
	if _, err := d.Token(); err != io.EOF { // what follows may be spaces
		return nil, nil, bad(errors.New("it continues after its closing brace"))
	}
	return entries, about, nil
}

// array is the entry's array, without its values, and their number of bytes.
func (e safetensor) array(limit int64) (*Array, int, error) {
	t, ok := safetensorsTypes[e.DType]
	if !ok {
		return nil, 0, fmt.Errorf("its type is %.20q: those that are read are %v", e.DType, slices.Sorted(maps.Keys(safetensorsTypes)))
	}
	a := &Array{Type: t, stored: t, order: binary.LittleEndian}
	for _, side := range e.Shape {
		if side < 0 || int64(int(side)) != side {
			return nil, 0, fmt.Errorf("its shape is %v, and %d is no size", e.Shape, side)
		}
		a.Shape = append(a.Shape, int(side))
	}
	size, err := bytesOf(a.Shape, t, limit)
	return a, size, err
}
