package table

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// parser reads a table in text.
type parser struct {
	*Table
	scanner  scanner
	maxLen   int64
	labels   bool // words are allowed where there is one column
	sep      byte
	trailing bool   // a separator ends every line
	width    int    // fields of a row, with the index
	index    bool   // the first field is an index, by what the header says
	first    line   // may be a header
	remark   string // the line after # that precedes it
	wholes   []int  // numbers of values after the first line, by column, written as whole ones
	tally    tally
	headed   bool // a remark before the first line is a header of numbers
	flat     []float64
}

// parseText reads lines of numbers, at most that many in all.
func (t *Table) parseText(r *bufio.Reader, maxLen int64, labels bool) error {
	p := &parser{Table: t, scanner: scanner{Reader: r}, maxLen: maxLen, labels: labels}
	t.lines = []int32{}
	sample, err := p.start()
	if err != nil || len(sample) == 0 {
		return err
	}
	if p.first, err = p.cut(sample[0]); err != nil {
		return err
	}
	second := p.first
	if len(sample) > 1 {
		if second, err = p.cut(sample[1]); err != nil {
			return err
		}
	}
	p.headed = p.isHeaded(p.remark)
	p.layout(second)
	for _, l := range sample[1:] {
		if err := p.row(l); err != nil {
			return err
		}
	}
	for {
		l, err := p.next()
		if err == io.EOF {
			return p.finish()
		}
		if err == nil {
			err = p.row(l)
		}
		if err != nil {
			return err
		}
	}
}

// start reads the first lines and finds the separator in them.
func (p *parser) start() (sample []line, err error) {
	for len(sample) < sniffed {
		l, err := p.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(sample) == 0 && p.sep == 0 { // Excel's own line about the separator
			if sep, ok := strings.CutPrefix(strings.ToLower(strings.Trim(l.text, `" `)), "sep="); ok && len(sep) == 1 {
				p.sep = sep[0]
				continue
			}
		}
		if len(sample) == 0 {
			if err := notTable(l.text); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", printable(p.Path), l.number, err)
			}
		}
		if len(sample) == 0 {
			p.remark = p.scanner.remark
		}
		sample = append(sample, l)
	}
	if len(sample) > 0 && p.sep == 0 {
		if p.sep, err = separator(sample); err != nil {
			return nil, fmt.Errorf("%s: %w", printable(p.Path), err)
		}
	}
	return sample, nil
}

// next reads a line. In a file of one column an empty line among others is a value that
// is missing, as polars writes it.
func (p *parser) next() (line, error) {
	l, err := p.scanner.next()
	if err == io.EOF {
		return l, err
	}
	if err != nil {
		return l, fmt.Errorf("%s: %w", printable(p.Path), err)
	}
	return l, nil
}

// notTable names text that is something else.
func notTable(text string) error {
	switch trimmed := strings.TrimSpace(text); {
	case trimmed[0] == '[' || trimmed[0] == '{' || strings.HasPrefix(trimmed, "tensor("):
		return errors.New("this is JSON or an array as Python prints it; write it by numpy.savetxt or numpy.save")
	case trimmed[0] == '<' && !isMissing(strings.Split(trimmed, ",")[0]):
		return errors.New("this is HTML or XML, not a table of numbers")
	}
	return nil
}

// cut splits a line into fields.
func (p *parser) cut(l line) (line, error) {
	var closed bool
	if l.fields, closed = split(l.text, p.sep); !closed {
		return l, fmt.Errorf("%s:%d: a quote is not closed on its line", printable(p.Path), l.number)
	}
	return l, nil
}

// layout finds from the first two lines, of which the second holds values, whether a
// separator ends every line and whether the first line says that there is an index.
func (p *parser) layout(second line) {
	n := len(second.fields)
	ends := func(f []string) bool { return len(f) == n && f[n-1] == "" }
	if f := p.first.fields; n > 1 && ends(second.fields) && (ends(f) || len(f) == n-1) {
		p.trailing = true
		n--
		p.first.fields = f[:n]
		p.note("a separator ends every line; the empty column after it is left out")
	}
	head := p.first.fields
	names := !slices.ContainsFunc(head, func(f string) bool { return isNumber(f) && !isWhole(f) })
	quoted := strings.HasPrefix(p.first.text, `"`) && strings.HasPrefix(second.text, `"`)
	p.width = n
	switch {
	case second.number == p.first.number || n < 2:
	case !names || !quoted && !slices.ContainsFunc(head, isWord) && head[0] != "":
		p.width = len(head) // of values
	case len(head) == n-1: // as R's write.table
		p.index = true
		p.first.fields = append([]string{""}, head...)
		p.note("the first line has one field less than the others, so it is read as a header and the first column, of row names, is left out")
	case head[0] == "" && strings.Join(head, "") != "" || strings.HasPrefix(head[0], "Unnamed: 0"): // as pandas' to_csv, R's write.csv
		p.index = true
		p.note("the first column, which the header gives no name, is read as an index and left out")
	}
	p.wholes = make([]int, p.width)
}

// row reads a line of values.
func (p *parser) row(l line) error {
	l, err := p.cut(l)
	if err != nil {
		return err
	}
	if empty := p.scanner.emptied; p.width == 1 && empty > p.first.number && p.scanner.number == l.number && empty < l.number {
		return fmt.Errorf("%s:%d: the line is empty, among others with one value each: a value that is missing? Remove the line", printable(p.Path), empty)
	}
	if p.trailing && len(l.fields) == p.width+1 {
		if last := l.fields[p.width]; last != "" {
			return fmt.Errorf("%s:%d: %d values, but the rows before have %d and an empty field", printable(p.Path), l.number, p.width+1, p.width)
		}
		l.fields = l.fields[:p.width]
	}
	if len(l.fields) != p.width {
		return fmt.Errorf("%s:%d: %d values, but the rows before have %d", printable(p.Path), l.number, len(l.fields), p.width)
	}
	if p.flat, err = p.values(p.flat, l); err != nil {
		return err
	}
	if int64(len(p.flat)) > p.maxLen {
		return fmt.Errorf("%s: it unpacks to more than %d values, the most that a compressed file of its size may hold: unpack it first", printable(p.Path), p.maxLen)
	}
	for k, f := range l.fields {
		if isWhole(f) {
			p.wholes[k]++
		}
	}
	p.tally.add(l.fields, p.first)
	p.lines = append(p.lines, int32(l.number))
	return nil
}

// values adds the numbers of fields, without those of an index. In labels a word is NaN,
// and its text is kept.
func (p *parser) values(values []float64, l line) ([]float64, error) {
	skip := 0
	if p.index {
		skip = 1
		if f := l.fields[0]; isNumber(f) && !isWhole(f) {
			return nil, fmt.Errorf("%s:%d: value 1 is %.40s, in a column without a name in line %d: an index holds whole numbers or text; name the column or leave it out", printable(p.Path), l.number, f, p.first.number)
		}
	}
	for k, f := range l.fields[skip:] {
		v, err := number(f)
		if err != nil && p.labels && p.width-skip == 1 && isName(f) {
			v, err = math.NaN(), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: value %d %w", printable(p.Path), l.number, skip+k+1, err)
		}
		values = append(values, v)
	}
	if p.labels {
		p.texts = append(p.texts, l.fields[p.width-1])
	}
	return values, nil
}
