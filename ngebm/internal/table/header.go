package table

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// lineKind is what a first line contains.
type lineKind int

const (
	values lineKind = iota
	names
	unclear
)

// finish decides what the first line is, and whether the first column is an index.
func (p *parser) finish() error {
	if n := len(p.lines); n > 0 {
		p.Rows = slices.AppendSeq(make([][]float64, 0, n+1), slices.Chunk(p.flat, len(p.flat)/n))
	}
	what, err := p.classifyFirst()
	if err != nil {
		return err
	}
	joined := strings.Join(p.first.fields, string(rune(p.sep)))
	switch what {
	case unclear:
		return fmt.Errorf("%s:%d: %.60q may be a header or values: put # before it if it is a header, or a line of names above it if it is not", printable(p.Path), p.first.number, joined)
	case names:
		p.Names = p.first.fields
		if n := len(p.Names); n != p.width {
			return fmt.Errorf("%s:%d: a header of %d names, but the rows after have %d values", printable(p.Path), p.first.number, n, p.width)
		}
		if p.index {
			p.Names = p.Names[1:]
		}
		p.numbers = !slices.ContainsFunc(p.Names, isWord)
		if rowForm(p.Names) == pointed { // 1.0 and 1 name one class
			p.Names = slices.Clone(p.Names)
			for k, name := range p.Names {
				p.Names[k] = strings.TrimSuffix(name, ".0")
			}
		}
		if (p.numbers || slices.ContainsFunc(p.Names, isGrouped)) && !p.index {
			p.note("the first line, %.60q, is read as a header", joined)
		}
	case values:
		if err := p.prepend(); err != nil {
			return err
		}
	}
	p.noteTwins()
	return p.dropIndex()
}

// prepend inserts the first line as a row.
func (p *parser) prepend() error {
	if len(p.first.fields) != p.width {
		return fmt.Errorf("%s:%d: %d values, but the rows after have %d", printable(p.Path), p.first.number, len(p.first.fields), p.width)
	}
	row, err := p.values(nil, p.first)
	if err != nil {
		return err
	}
	switch first := p.first.fields[0]; {
	case p.labels && p.width == 1 && (first == "0" || isWord(first)):
		p.Table.first = &p.first
	case p.width == 1 && !p.labels && !p.headed && p.mayName(first):
		p.note("the first line, %s, is read as a value, not as a header", first)
	case p.doubt != "":
		p.note("the first line, %.60q, is read as values, not as a header; if it is one, put # before it", p.doubt)
	}
	p.Rows, p.lines = slices.Insert(p.Rows, 0, row), slices.Insert(p.lines, 0, int32(p.first.number))
	if p.labels { // values put it at the end
		last := len(p.texts) - 1
		p.texts = slices.Insert(p.texts[:last], 0, p.texts[last])
	}
	return nil
}

// isHeaded reports whether remark, the text after #, is a header of numbers.
func (p *parser) isHeaded(remark string) bool {
	fields, _ := split(remark, p.sep)
	return len(fields) == len(p.first.fields) && !slices.ContainsFunc(fields, func(f string) bool { return !isNumber(f) })
}

// mayName reports whether a first number that is read as a value may be pandas' name of
// the column: 0, or else 1 or -1 if scores exceed ±1.
func (p *parser) mayName(first string) bool {
	switch first {
	case "0":
		return p.tally.values[whole] > 0
	case "1", "-1":
		return slices.ContainsFunc(p.flat, func(v float64) bool { return math.Abs(v) > 1 })
	}
	return false
}

// isWord reports whether a field is a name: not a number, beginning with a letter or with _ in it.
func isWord(field string) bool {
	r, _ := utf8.DecodeRuneInString(field)
	return !isNumber(field) && !isMissing(field) && (unicode.IsLetter(r) || strings.Contains(field, "_"))
}

// isGrouped reports whether a name would be a number without _, as 0_1 or 1_000.
func isGrouped(name string) bool {
	return strings.Contains(name, "_") && isNumber(strings.ReplaceAll(name, "_", ""))
}

// classifyFirst decides whether the first line is a header.
func (p *parser) classifyFirst() (lineKind, error) {
	fields := p.first.fields
	if p.index {
		return names, nil
	}
	words := slices.ContainsFunc(fields, isWord)
	if words && !slices.ContainsFunc(fields, func(f string) bool { return isNumber(f) && !isWhole(f) }) {
		if p.labels && p.width == 1 && slices.ContainsFunc(p.texts, isWord) {
			return values, nil // until the names of the classes are known
		}
		return names, nil
	}
	for k, f := range fields {
		if _, err := number(f); err != nil {
			return 0, fmt.Errorf("%s:%d: value %d %w (if the line is a header, put # before it)", printable(p.Path), p.first.number, k+1, err)
		}
	}
	return p.classifyNumbers(), nil
}

// classifyNumbers decides whether a first line of numbers is a header, such as pandas' 0,1,2
// for columns without names. A header differs from the rows in form: programs write a zero
// value as 0.0 or 0.000e+00, unless they write other values as whole numbers too.
func (p *parser) classifyNumbers() lineKind {
	fields, n := p.first.fields, len(p.first.fields)
	f := rowForm(fields)
	zero, alone := f == whole && counting(fields, 0), len(p.Rows) == 0
	switch {
	case p.headed:
		return values
	case f == mixed && p.unlike():
		return unclear
	case f == mixed || alone && !(zero && n > 1):
		return values
	case n == 1:
		return p.classifyNumber(f, zero)
	case p.tally.values[f] == 0 && !alone:
		if counting(fields, 0) || counting(fields, 1) {
			if f == whole || n > 2 { // 0.0,1.0 may be probabilities
				return names
			}
		}
		return unclear
	case zero && p.indexed():
		return values
	case zero:
		return unclear
	case p.tally.rows[f] == len(p.Rows): // quantized logits
		if orderly(fields) && !p.labels {
			p.doubt = strings.Join(fields, string(rune(p.sep)))
		}
		return values
	case orderly(fields) && n > 2, p.tally.rows[f] == 0 && len(p.Rows) >= fewRows:
		return unclear
	case orderly(fields) && !p.labels:
		p.doubt = strings.Join(fields, string(rune(p.sep)))
	}
	return values
}

// classifyNumber decides whether the first number of a single column is a header.
func (p *parser) classifyNumber(f form, zero bool) lineKind {
	switch {
	case p.tally.values[f] > 0, p.labels && f == pointed && p.tally.rows[whole] < len(p.Rows):
		return values
	case zero:
		return names
	}
	return unclear
}

// counting reports whether fields count from a number: 0,1,2 or 0.0,1.0,2.0.
func counting(fields []string, from int) bool {
	for k, f := range fields {
		if strings.TrimSuffix(f, ".0") != strconv.Itoa(from+k) {
			return false
		}
	}
	return true
}

// indexed reports whether the first column counts the rows from 0, the first line included.
func (p *parser) indexed() bool {
	if p.first.fields[0] != "0" || len(p.Rows) < 2 && !(p.labels && p.width == 2) {
		return false
	}
	for i, row := range p.Rows {
		if row[0] != float64(i+1) {
			return false
		}
	}
	return true
}

// dropIndex removes a first column that counts the rows, from 0 or 1. With two rows it
// returns an error if the column may be values.
func (p *parser) dropIndex() error {
	pair := p.labels && p.width == 2 // an index and a label
	if n := len(p.Rows); p.index || p.width < 2 || n == 0 || n == 1 && !pair {
		return nil
	}
	from := p.Rows[0][0]
	if from != 0 && from != 1 {
		return nil
	}
	for i, row := range p.Rows {
		if row[0] != from+float64(i) {
			return nil
		}
	}
	if len(p.Rows) == 2 && !pair {
		if p.wholes[0] > 0 && !slices.ContainsFunc(p.wholes[1:], func(n int) bool { return n > 0 }) {
			return fmt.Errorf("%s:%d: the first column may be an index of the two rows, %v and %v, or values: leave it out, or write %v.0", printable(p.Path), p.lines[0], from, from+1, from)
		}
		return nil
	}
	for i, row := range p.Rows {
		p.Rows[i] = row[1:]
	}
	if p.Names != nil {
		p.Names = p.Names[1:]
	}
	p.note("the first column counts the rows from %v, so it is read as an index and left out", from)
	return nil
}

// noteTwins notes that two columns have the same name.
func (p *parser) noteTwins() {
	seen := map[string]bool{}
	for _, name := range p.Names {
		if name != "" && seen[name] {
			p.note("several columns are named %.60q", name)
			return
		}
		seen[name] = true
	}
}

// settleFirst decides whether the first line of labels is a header, given the logits: a word
// that is not a class is one, and so is 0 if there is one label more than logits, which have
// a header of numbers too.
func (t *Table) settleFirst(logits *Table) error {
	if t.first == nil {
		return nil
	}
	name := t.first.fields[0]
	header := isWord(name) && !slices.Contains(logits.Names, name)
	if name == "0" && logits.doubt != "" && len(t.Rows) >= fewRows && len(t.Rows) == len(logits.Rows) {
		return fmt.Errorf("%s and %s: their first lines, %.60q and 0, may both be headers or values: put # before them if they are headers, or a line of names above each if they are not",
			printable(logits.Path), printable(t.Path), logits.doubt)
	}
	if name == "0" && len(t.Rows) == len(logits.Rows)+1 && logits.numbers {
		header = true
		t.note("the first line, 0, is read as a header")
	}
	if header && len(t.Rows) > 1 {
		t.Names, t.Rows, t.lines, t.texts = []string{name}, t.Rows[1:], t.lines[1:], t.texts[1:]
	}
	t.first = nil
	return nil
}
