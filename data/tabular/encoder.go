package tabular

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Encoder turns rows into inputs of a network. A run stores it, so that rows are encoded for
// predictions as they were for training.
type Encoder struct {
	Label   string   `json:"label"`   // the column of the classes, which gives no input
	Columns []Column `json:"columns"` // in the order of the inputs; constant ones are left out
}

// Column says how the values of one column become inputs: numbers, if there are no Categories, as
// (value - Mean)/Deviation, and a category as one input for each, 1 for its own and 0 for others.
type Column struct {
	Name       string   `json:"name"`
	Mean       float64  `json:"mean,omitempty"`      // over the training rows
	Deviation  float64  `json:"deviation,omitempty"` // standard deviation (1/n) over the training rows, above 0
	Categories []string `json:"categories,omitempty"`
}

// Numeric reports whether the column holds numbers.
func (c Column) Numeric() bool { return c.Categories == nil }

// Size returns the number of inputs that the column becomes.
func (c Column) Size() int { return max(1, len(c.Categories)) }

// Size returns the number of inputs that a row becomes.
func (e *Encoder) Size() int {
	n := 0
	for _, c := range e.Columns {
		n += c.Size()
	}
	return n
}

// JSON returns the encoder as a run stores it. Checksums of datasets cover it.
func (e *Encoder) JSON() []byte {
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // Validate refuses what JSON cannot hold
	}
	return b
}

// Differs reports whether two encoders make other inputs of one row; nil, which is no table's,
// differs from none.
func (e *Encoder) Differs(other *Encoder) bool {
	return e != nil && other != nil && !bytes.Equal(e.JSON(), other.JSON())
}

// Inputs returns the names of the inputs, [Size()]: that of the column, or column=category.
func (e *Encoder) Inputs() []string {
	var names []string
	for _, c := range e.Columns {
		if c.Numeric() {
			names = append(names, c.Name)
		}
		for _, category := range c.Categories {
			names = append(names, c.Name+"="+category)
		}
	}
	return names
}

// Column returns the column with a name, and its first input. The error lists the columns.
func (e *Encoder) Column(name string) (c Column, input int, err error) {
	var names []string
	for _, c := range e.Columns {
		if c.Name == name {
			return c, input, nil
		}
		input += c.Size()
		names = append(names, c.Name)
	}
	return c, 0, fmt.Errorf("no column is named %.60q; the columns are %s", name, strings.Join(names, ", "))
}

// Encode returns the inputs of one row, [Size()], which maps the name of each column to its value: a
// string as in a CSV file, a number (any integer or floating-point type, or a json.Number), or for a
// category a bool. Other keys are ignored. The error names the first column whose value is missing,
// of the wrong kind or an unknown category.
func (e *Encoder) Encode(row map[string]any) ([]float32, error) {
	inputs := make([]float32, 0, e.Size())
	for _, c := range e.Columns {
		value, ok := row[c.Name]
		if !ok {
			return nil, fmt.Errorf("column %q is missing; a row has %s", c.Name, e.columnNames())
		}
		cell, err := asCell(value)
		if err == nil {
			inputs, err = c.append(inputs, cell)
		}
		if err != nil {
			return nil, fmt.Errorf("column %q %w", c.Name, err)
		}
	}
	return inputs, nil
}

func (e *Encoder) columnNames() string {
	var names []string
	for _, c := range e.Columns {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// asCell returns the text of a value as a file would hold it.
func asCell(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		return strings.TrimSpace(v), nil
	case json.Number:
		return v.String(), nil
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), nil
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32), nil
	case bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return fmt.Sprint(v), nil
	}
	return "", fmt.Errorf("has a value of type %T: give a number or a text", value)
}

// append appends the inputs of a cell.
func (c Column) append(inputs []float32, cell string) ([]float32, error) {
	v, isNumber, err := parseCell(cell)
	if err != nil {
		return nil, err
	}
	if c.Numeric() {
		if !isNumber {
			return nil, fmt.Errorf("has the text %.60q: give a number", cell)
		}
		return c.appendNumber(inputs, v)
	}
	k := slices.Index(c.Categories, cell)
	if k < 0 {
		return nil, fmt.Errorf("has the unknown category %.60q: those of the training data are %s", cell, listed(c.Categories))
	}
	return c.appendCategory(inputs, k), nil
}

func (c Column) appendNumber(inputs []float32, v float64) ([]float32, error) {
	x := float32((v - c.Mean) / c.Deviation)
	if math.IsInf(float64(x), 0) {
		return nil, fmt.Errorf("has %v, which is too far from the mean of the training data, %.4g, in deviations of %.4g", v, c.Mean, c.Deviation)
	}
	return append(inputs, x), nil
}

func (c Column) appendCategory(inputs []float32, k int) []float32 {
	for j := range c.Categories {
		var x float32
		if j == k {
			x = 1
		}
		inputs = append(inputs, x)
	}
	return inputs
}

func listed(names []string) string {
	if len(names) > 20 {
		return strings.Join(names[:20], ", ") + " …"
	}
	return strings.Join(names, ", ")
}

// Rows are encoded rows of a file.
type Rows struct {
	Inputs []float32 // [rows, Size()]
	Labels []string  // [rows], the column of the classes; nil if the file lacks it
	Lines  []int     // [rows], line of each in the file
}

// Read encodes the rows of a CSV file in the format of [Read]. Columns are found by name, in any order;
// others are ignored. The column of the classes may be absent. Errors name the line and the column.
func (e *Encoder) Read(ctx context.Context, r io.Reader) (*Rows, error) {
	return e.read(ctx, r, defaultLimits())
}

func (e *Encoder) read(ctx context.Context, r io.Reader, limit limits) (*Rows, error) {
	limit.rows = min(limit.rows, maxValues/max(1, e.Size()))
	s, err := newScanner(ctx, r, limit)
	if err != nil {
		return nil, err
	}
	at := make([]int, len(e.Columns))
	for i, c := range e.Columns {
		if at[i] = slices.Index(s.names, c.Name); at[i] < 0 {
			return nil, fmt.Errorf("line 1 has no column %q: the first line must name the columns, which are %s", c.Name, e.columnNames())
		}
	}
	label, rows := slices.Index(s.names, e.Label), &Rows{}
	for {
		record, err := s.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		for i, c := range e.Columns {
			if rows.Inputs, err = c.append(rows.Inputs, record[at[i]]); err != nil {
				return nil, s.at(c.Name, err)
			}
		}
		if label >= 0 {
			rows.Labels = append(rows.Labels, strings.Clone(record[label]))
		}
		rows.Lines = append(rows.Lines, s.line)
	}
	if len(rows.Lines) == 0 {
		return nil, errors.New("it has no rows below the header")
	}
	return rows, nil
}
