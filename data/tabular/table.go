package tabular

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"ngebm/data/nearest"
)

// Table is a file of rows with a class each.
type Table struct {
	Label   string   // name of the column of the classes
	Classes []string // distinct classes in numeric order if all are numbers, else in string order
	Labels  []int32  // [rows], indices into Classes
	// Keys identify rows by their content, so that a split by them does not depend on the order.
	Keys    []string // [rows]
	columns []column // without the label's
}

// column holds the values of one column: numbers, or texts by their code.
type column struct {
	name    string
	numeric bool
	numbers []float64
	texts
}

// texts are codes of distinct texts.
type texts struct {
	codes    []int32
	distinct []string // by code
	code     map[string]int32
}

// add appends a text; it returns false if there would be more than limit distinct ones.
func (t *texts) add(text string, limit int) bool {
	code, known := t.code[text]
	if !known {
		if len(t.distinct) == limit {
			return false
		}
		if t.code == nil {
			t.code = map[string]int32{}
		}
		code = int32(len(t.distinct))
		text = strings.Clone(text) // a cell keeps its whole row in memory
		t.distinct, t.code[text] = append(t.distinct, text), code
	}
	t.codes = append(t.codes, code)
	return true
}

// Read reads rows with a class each from a CSV file, whose separator may be a comma, a semicolon or a
// tab. The first line names the columns. label is the name of the column of the classes, or its number
// from 1 if no column has that name. Errors name the line and the column, and the remedy.
func Read(ctx context.Context, r io.Reader, label string) (*Table, error) {
	return read(ctx, r, label, defaultLimits())
}

func read(ctx context.Context, r io.Reader, label string, limit limits) (*Table, error) {
	s, err := newScanner(ctx, r, limit)
	if err != nil {
		return nil, err
	}
	at, err := findLabel(s.names, label)
	if err != nil {
		return nil, err
	}
	t := &Table{Label: s.names[at]}
	for k, name := range s.names {
		if k != at {
			t.columns = append(t.columns, column{name: name})
		}
	}
	var classes texts
	for {
		record, err := s.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := s.addClass(&classes, t.Label, record[at]); err != nil {
			return nil, err
		}
		sum := fnv.New64a()
		for k, cell := range record {
			_, _ = io.WriteString(sum, cell+"\x00") // a hash takes everything
			switch {
			case k < at:
				err = t.columns[k].add(s, cell)
			case k > at:
				err = t.columns[k-1].add(s, cell)
			}
			if err != nil {
				return nil, err
			}
		}
		t.Keys = append(t.Keys, strconv.FormatUint(sum.Sum64(), 16))
	}
	if err := t.checkHeader(s.names); err != nil {
		return nil, err
	}
	return t, t.setClasses(classes)
}

// findLabel returns the index of the column of the classes.
func findLabel(names []string, label string) (int, error) {
	if k := slices.Index(names, label); k >= 0 {
		return k, nil
	}
	n, err := strconv.Atoi(label)
	numbers := allNumbers(names)
	if err == nil && !numbers && n >= 1 && n <= len(names) {
		return n - 1, nil
	}
	hint, number := nearest.Hint(label, names), fmt.Sprintf(", or a number from 1 to %d", len(names))
	if numbers { // 3 might be the third or the one that is named 3
		hint, number = "", " (line 1 must be a header)"
	}
	shown, more := names, ""
	if len(names) > 30 {
		shown, more = names[:30], " …"
	}
	return 0, fmt.Errorf("no column is named %.60q%s: the label after @ is one of %s%s%s", label, hint, strings.Join(shown, ", "), more, number)
}

func allNumbers(cells []string) bool {
	return !slices.ContainsFunc(cells, func(cell string) bool {
		_, isNumber, _ := parseCell(cell)
		return !isNumber
	})
}

// addClass adds the class of a row.
func (s *scanner) addClass(classes *texts, label, class string) error {
	if isMissing(class) {
		_, _, err := parseCell(class)
		return s.at(label, err)
	}
	if err := s.checkText(class); err != nil {
		return s.at(label, err)
	}
	if !classes.add(class, s.limit.classes) {
		return fmt.Errorf("column %q has more than %d different values: is it the class? (line %d: %q)", label, s.limit.classes, s.line, class)
	}
	return nil
}

// add adds a cell. The first one decides what the column holds.
func (c *column) add(s *scanner, cell string) error {
	v, isNumber, err := parseCell(cell)
	if err != nil {
		return s.at(c.name, err)
	}
	if s.rows == 1 {
		c.numeric = isNumber
	}
	switch {
	case isNumber && c.numeric:
		c.numbers = append(c.numbers, v)
		return nil
	case c.numeric:
		return s.at(c.name, fmt.Errorf("has the text %.60q, but numbers above it: write it as a number, or leave the row out", cell))
	case isNumber:
		return s.at(c.name, fmt.Errorf("has the number %s, but texts above it: make all numbers, or all texts", cell))
	}
	if err := s.checkText(cell); err != nil {
		return s.at(c.name, err)
	}
	if !c.texts.add(cell, s.limit.categories) {
		return s.at(c.name, fmt.Errorf("has more than %d different texts, such as %.60q: it is no category; leave it out of the file, or write numbers", s.limit.categories, cell))
	}
	return nil
}

// setClasses sorts the classes and numbers the labels.
func (t *Table) setClasses(classes texts) error {
	rows, n := len(classes.codes), len(classes.distinct)
	switch {
	case rows == 0:
		return errors.New("it has no rows below the header")
	case n < 2:
		return fmt.Errorf("column %q has only the class %q: give two classes or more", t.Label, classes.distinct[0])
	case n > 20 && n > rows/2:
		return fmt.Errorf("column %q has %d different values in %d rows: is it the class?", t.Label, n, rows)
	}
	t.Classes = slices.Clone(classes.distinct)
	slices.Sort(t.Classes)
	if allNumbers(t.Classes) {
		slices.SortStableFunc(t.Classes, func(a, b string) int {
			x, _, _ := parseCell(a)
			y, _, _ := parseCell(b)
			return cmp.Compare(x, y)
		})
		for k, class := range t.Classes[1:] {
			before, _, _ := parseCell(t.Classes[k])
			if v, _, _ := parseCell(class); v == before {
				return fmt.Errorf("column %q has one class as %q and as %q: write it one way", t.Label, t.Classes[k], class)
			}
		}
	}
	index := map[string]int32{}
	for k, class := range t.Classes {
		index[class] = int32(k)
	}
	for _, code := range classes.codes {
		t.Labels = append(t.Labels, index[classes.distinct[code]])
	}
	return nil
}

// checkHeader refuses a first line that may be values. A header of numbers, such as 0,1,2 of pandas,
// counts the columns in any order, above a column whose values are not whole.
func (t *Table) checkHeader(names []string) error {
	numeric, whole := 0, true
	for _, c := range t.columns {
		if !c.numeric {
			continue
		}
		numeric++
		if _, isNumber, _ := parseCell(c.name); !isNumber {
			return nil
		}
		whole = whole && !slices.ContainsFunc(c.numbers, func(v float64) bool { return v != math.Trunc(v) })
	}
	if numeric == 0 || len(names) > 2 && !whole && counts(names) {
		return nil
	}
	return fmt.Errorf("line 1, %.60q, may be a header or values: put a line with the names of the columns above it, or in its place if it is a header", strings.Join(names, ","))
}

// counts reports whether names are 0, 1, 2 … or 1, 2, 3 … in any order.
func counts(names []string) bool {
	values := make([]int, len(names))
	for k, name := range names {
		n, err := strconv.Atoi(name)
		if err != nil {
			return false
		}
		values[k] = n
	}
	slices.Sort(values)
	for k, v := range values {
		if v != values[0]+k {
			return false
		}
	}
	return values[0] == 0 || values[0] == 1
}
