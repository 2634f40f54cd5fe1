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
	"slices"
	"strconv"

	"ngebm/data/format"
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

const (
	npyMagic = "\x93NUMPY"
	maxNPY   = 8 << 30 // bytes of values
)

// readTable reads a file in CSV or NPY, told apart by how it begins.
func readTable(path string) (*table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("ngebm measure: %w", err)
	}
	defer f.Close()
	r := bufio.NewReader(f)
	t := &table{path: path}
	if magic, _ := r.Peek(len(npyMagic)); string(magic) == npyMagic {
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

// parseNPY reads an array of one dimension, as one value a row, or of two.
func (t *table) parseNPY(b []byte) error {
	a, err := format.ReadNPY(bytes.NewReader(b), maxNPY)
	if err != nil {
		return fmt.Errorf("%s: %w", t.path, err)
	}
	if len(a.Shape) != 1 && len(a.Shape) != 2 {
		return fmt.Errorf("%s: an array of shape %v; it must have 1 or 2 dimensions", t.path, a.Shape)
	}
	width := 1
	if len(a.Shape) == 2 {
		width = a.Shape[1]
	}
	if width == 0 {
		return fmt.Errorf("%s: an array of shape %v has no values", t.path, a.Shape)
	}
	for row := range slices.Chunk(a.Floats(), width) {
		t.rows = append(t.rows, row)
		for k, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("%s: value %d is %v; every value must be finite", t.at(len(t.rows)-1), k, v)
			}
		}
	}
	return nil
}
