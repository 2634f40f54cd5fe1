package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"strconv"

	"github.com/sbinet/npyio/npy"
)

// table is a file of numbers: rows of equal length, all of them finite.
type table struct {
	path  string
	rows  [][]float64
	lines []int // the line of each row; nil for NPY
}

// at says where a row is.
func (t *table) at(row int) string {
	if t.lines == nil {
		return fmt.Sprintf("%s: row %d (the first is 0)", t.path, row)
	}
	return fmt.Sprintf("%s:%d", t.path, t.lines[row])
}

func (t *table) width() int { return len(t.rows[0]) }

// column returns the values of a table of one column.
func (t *table) column() ([]float64, error) {
	if t.width() != 1 {
		return nil, fmt.Errorf("%s: rows of %d values; there must be one value a row", t.path, t.width())
	}
	values := make([]float64, len(t.rows))
	for i, row := range t.rows {
		values[i] = row[0]
	}
	return values, nil
}

// labels returns the values of a table of one column as classes.
func (t *table) labels(classes int) ([]int32, error) {
	values, err := t.column()
	if err != nil {
		return nil, err
	}
	labels := make([]int32, len(values))
	for i, v := range values {
		switch {
		case v != math.Trunc(v):
			return nil, fmt.Errorf("%s: label %v is no whole number", t.at(i), v)
		case v < 0 || v >= float64(classes):
			return nil, fmt.Errorf("%s: label %v is no class; with %d values a row, labels are 0 … %d", t.at(i), v, classes, classes-1)
		}
		labels[i] = int32(v)
	}
	return labels, nil
}

// readTable reads a file in CSV or NPY, told apart by how it begins.
func readTable(path string) (*table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("ngebm measure: %w", err)
	}
	defer f.Close()
	r := bufio.NewReader(f)
	t := &table{path: path}
	if magic, _ := r.Peek(len(npy.Magic)); bytes.Equal(magic, npy.Magic[:]) {
		var b []byte
		if b, err = io.ReadAll(r); err == nil {
			err = t.parseNPY(b)
		}
	} else {
		err = t.parseCSV(r)
	}
	if err == nil && len(t.rows) == 0 {
		err = fmt.Errorf("%s: there are no rows", path)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// parseCSV reads numbers apart by commas, a row a line. Empty lines and lines
// that start with # are skipped, and so is a first line in which nothing is a
// number.
func (t *table) parseCSV(r *bufio.Reader) error {
	if mark, _ := r.Peek(3); string(mark) == "\ufeff" {
		r.Discard(3)
	}
	c := csv.NewReader(r)
	c.Comment, c.ReuseRecord, c.TrimLeadingSpace, c.FieldsPerRecord = '#', true, true, -1
	t.lines = []int{}
	for first := true; ; first = false {
		record, err := c.Read()
		if err == io.EOF {
			return nil
		}
		if parse := new(csv.ParseError); errors.As(err, &parse) {
			return fmt.Errorf("%s:%d: %w", t.path, parse.Line, parse.Err)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.path, err)
		}
		line, _ := c.FieldPos(0)
		if first && isHeader(record) {
			continue
		}
		if len(t.rows) > 0 && len(record) != t.width() {
			return fmt.Errorf("%s:%d: %d values, but the rows before have %d", t.path, line, len(record), t.width())
		}
		row := make([]float64, len(record))
		for k, field := range record {
			v, err := strconv.ParseFloat(field, 64)
			switch {
			case math.IsNaN(v) || math.IsInf(v, 0):
				return fmt.Errorf("%s:%d: value %d is %s; every value must be finite", t.path, line, k+1, field)
			case err != nil:
				return fmt.Errorf("%s:%d: value %d is %.40q, which is no number; values are set apart by commas", t.path, line, k+1, field)
			}
			row[k] = v
		}
		t.rows, t.lines = append(t.rows, row), append(t.lines, line)
	}
}

func isHeader(record []string) bool {
	for _, field := range record {
		if _, err := strconv.ParseFloat(field, 64); err == nil {
			return false
		}
	}
	return true
}

// parseNPY reads an array of one dimension, as one value a row, or of two. What
// the header claims is held against the file's size before memory is taken for
// it.
func (t *table) parseNPY(b []byte) (err error) {
	defer func() {
		if p := recover(); p != nil { // npy slices the header by what it finds in it
			err = fmt.Errorf("%s: the NPY header cannot be read", t.path)
		}
	}()
	if len(b) < 12 {
		return fmt.Errorf("%s: the NPY file ends in its header", t.path)
	}
	start := 10 + int(b[8]) + int(b[9])<<8
	if b[6] >= 2 {
		start = 12 + int(b[8]) + int(b[9])<<8 + int(b[10])<<16 + int(b[11])<<24
	}
	if start > len(b) {
		return fmt.Errorf("%s: the NPY file ends in its header", t.path)
	}
	r, err := npy.NewReader(bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("%s: %w", t.path, err)
	}
	shape, kind := r.Header.Descr.Shape, r.Header.Descr.Type
	if len(shape) != 1 && len(shape) != 2 {
		return fmt.Errorf("%s: an array of shape %v; it must have 1 or 2 dimensions", t.path, shape)
	}
	element := npy.TypeFrom(kind)
	if element == nil {
		return fmt.Errorf("%s: an array of type %q; it must hold float32, float64 or integers", t.path, kind)
	}
	rows, width := shape[0], 1
	if len(shape) == 2 {
		width = shape[1]
	}
	room := (len(b) - start) / int(element.Size())
	if rows < 1 || width < 1 || rows > room || width > room/rows || rows*width*int(element.Size()) != len(b)-start {
		return fmt.Errorf("%s: %d bytes do not make an array of shape %v and type %q; the file is incomplete or damaged", t.path, len(b)-start, shape, kind)
	}
	values, err := valuesOf(r, element.Kind())
	if err != nil {
		return fmt.Errorf("%s: type %q: %w", t.path, kind, err)
	}
	if len(values) != rows*width {
		return fmt.Errorf("%s: %d values for shape %v", t.path, len(values), shape)
	}
	t.rows = make([][]float64, rows)
	for i := range t.rows {
		if r.Header.Descr.Fortran {
			t.rows[i] = make([]float64, width)
			for k := range t.rows[i] {
				t.rows[i][k] = values[k*rows+i]
			}
		} else {
			t.rows[i] = values[i*width : (i+1)*width : (i+1)*width]
		}
		for k, v := range t.rows[i] {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("%s: value %d is %v; every value must be finite", t.at(i), k, v)
			}
		}
	}
	return nil
}

// valuesOf reads all values, in the file's order.
func valuesOf(r *npy.Reader, kind reflect.Kind) ([]float64, error) {
	switch kind {
	case reflect.Float64:
		return readAs[float64](r)
	case reflect.Float32:
		return readAs[float32](r)
	case reflect.Int8:
		return readAs[int8](r)
	case reflect.Int16:
		return readAs[int16](r)
	case reflect.Int32:
		return readAs[int32](r)
	case reflect.Int64:
		return readAs[int64](r)
	case reflect.Uint8:
		return readAs[uint8](r)
	case reflect.Uint16:
		return readAs[uint16](r)
	case reflect.Uint32:
		return readAs[uint32](r)
	case reflect.Uint64:
		return readAs[uint64](r)
	}
	return nil, errors.New("it must hold float32, float64 or integers")
}

func readAs[T float32 | float64 | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](r *npy.Reader) ([]float64, error) {
	var values []T
	if err := r.Read(&values); err != nil {
		return nil, err
	}
	if same, ok := any(values).([]float64); ok {
		return same, nil
	}
	converted := make([]float64, len(values))
	for i, v := range values {
		converted[i] = float64(v)
	}
	return converted, nil
}
