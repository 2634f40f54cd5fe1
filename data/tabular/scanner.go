package tabular

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"ngebm/data/plain"
)

// limits bound what is read.
type limits struct {
	bytes         int64
	record        int64 // bytes of one row
	rows, columns int
	cells         int // rows times columns
	cell          int // bytes of one cell
	name          int // bytes of a column's name, a category or a class
	categories    int // of one column
	classes       int
}

func defaultLimits() limits {
	return limits{bytes: 1 << 30, record: maxRecord, rows: 1 << 22, columns: MaxInputs, cells: 1 << 27, cell: 4096, name: 200, categories: 1000, classes: 1000}
}

// maxRecord bounds the bytes of a row and of the header.
const maxRecord = 4 << 20

// MaxInputs bounds the columns of a file and the inputs that its rows become.
const MaxInputs = 1 << 14

// scanner reads the records of a file.
type scanner struct {
	ctx   context.Context
	limit limits
	input *boundedReader
	csv   *csv.Reader
	names []string // of the columns
	line  int      // of the record that next returned last
	rows  int
}

// newScanner reads the header.
func newScanner(ctx context.Context, r io.Reader, limit limits) (*scanner, error) {
	const firstLine = 1 << 16
	input := &boundedReader{Reader: r, left: limit.bytes, record: limit.record}
	buffered := bufio.NewReaderSize(input, firstLine)
	start, err := buffered.Peek(firstLine)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if bytes.HasPrefix(start, []byte("\xff\xfe")) || bytes.HasPrefix(start, []byte("\xfe\xff")) || bytes.IndexByte(start[:min(64, len(start))], 0) >= 0 {
		return nil, errors.New("it is not text in UTF-8: save it as CSV in UTF-8")
	}
	if mark := []byte("\ufeff"); bytes.HasPrefix(start, mark) {
		start = start[len(mark):]
		_, _ = buffered.Discard(len(mark)) // they were peeked
	}
	s := &scanner{ctx: ctx, limit: limit, input: input, csv: csv.NewReader(buffered)}
	s.csv.Comma, s.csv.ReuseRecord = separator(start), true
	s.csv.TrimLeadingSpace = s.csv.Comma != '\t' // else an empty cell would be none
	header, err := s.record()
	if err == io.EOF {
		return nil, errors.New("it is empty: its first line must name the columns")
	}
	if err != nil {
		return nil, err
	}
	return s, s.setNames(header)
}

var errLong = errors.New("the row is too long: close its quotes, or leave columns out")

// boundedReader fails after a number of bytes, in all or since a record began: a cell takes 40 bytes
// even if it is empty, before its row is seen.
type boundedReader struct {
	io.Reader
	left   int64
	record int64 // left of the record
}

func (r *boundedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if r.left -= int64(n); r.left < 0 {
		return 0, errors.New("it is too large: use a part of it")
	}
	if r.record -= int64(n); r.record < 0 {
		return 0, errLong
	}
	return n, err
}

// separator is the one of comma, semicolon and tab that the first line has most of, outside quotes.
func separator(start []byte) rune {
	count := map[byte]int{}
	quoted := false
	for _, b := range start {
		if b == '"' {
			quoted = !quoted
		}
		if (b == '\n' || b == '\r') && !quoted {
			break
		}
		if !quoted {
			count[b]++
		}
	}
	best := byte(',')
	for _, b := range []byte{';', '\t'} {
		if count[b] > count[best] {
			best = b
		}
	}
	return rune(best)
}

func (s *scanner) setNames(header []string) error {
	if len(header) > s.limit.columns {
		return fmt.Errorf("it has %d columns, more than %d", len(header), s.limit.columns)
	}
	seen := map[string]int{}
	for k, name := range header {
		if name == "" {
			return fmt.Errorf("line %d: column %d has no name: name it, or leave it out (an index of pandas: to_csv(index=False))", s.line, k+1)
		}
		if err := s.checkText(name); err != nil {
			return fmt.Errorf("line %d: the name of column %d %w", s.line, k+1, err)
		}
		if first, twice := seen[name]; twice {
			return fmt.Errorf("line %d: columns %d and %d have the same name, %q: each needs its own (and the first line must be the header)", s.line, first, k+1, name)
		}
		seen[name] = k + 1
		s.names = append(s.names, strings.Clone(name))
	}
	return nil
}

// checkText refuses names, categories and classes that cannot be stored and shown.
func (s *scanner) checkText(text string) error {
	switch {
	case len(text) > s.limit.name:
		return fmt.Errorf("has %d bytes, more than %d: shorten it", len(text), s.limit.name)
	case !plain.IsVisible(text):
		return fmt.Errorf("is %.60q, which has a line break or unprintable characters: replace them", text)
	case strings.HasPrefix(text, "="):
		return fmt.Errorf("is the formula %.60q: save the table with values instead of formulas", text)
	}
	return nil
}

// next returns the cells of the next row, without spaces around them, or io.EOF. They are valid until
// the next call.
func (s *scanner) next() ([]string, error) {
	if s.rows%4096 == 0 && s.ctx.Err() != nil {
		return nil, context.Cause(s.ctx)
	}
	record, err := s.record()
	if err != nil {
		return nil, err
	}
	if s.rows++; s.rows > s.limit.rows || s.rows > s.limit.cells/len(s.names) {
		return nil, fmt.Errorf("it has more than %d rows of %d columns: use a part of it", s.rows-1, len(s.names))
	}
	return record, nil
}

func (s *scanner) record() ([]string, error) {
	s.input.record = s.limit.record
	record, err := s.csv.Read()
	if parse := (*csv.ParseError)(nil); errors.As(err, &parse) && !errors.Is(err, csv.ErrFieldCount) {
		return nil, s.quoteError(parse, len(record))
	}
	if errors.Is(err, errLong) {
		return nil, fmt.Errorf("line %d or below: %w", s.line+1, err)
	}
	if err != nil && !errors.Is(err, csv.ErrFieldCount) {
		return nil, err // io.EOF, or of the disk
	}
	s.line, _ = s.csv.FieldPos(0)
	if err != nil {
		return nil, fmt.Errorf("line %d: it has %d cells, but the header names %d columns", s.line, len(record), len(s.names))
	}
	for k, cell := range record {
		if len(cell) > s.limit.cell {
			return nil, fmt.Errorf("line %d: cell %d has %d bytes, more than %d: leave the column out", s.line, k+1, len(cell), s.limit.cell)
		}
		record[k] = strings.TrimSpace(cell)
	}
	return record, nil
}

// quoteError is the error about a quote in the cell that follows the given number of cells.
func (s *scanner) quoteError(parse *csv.ParseError, before int) error {
	where := fmt.Sprintf("line %d: ", parse.Line)
	if parse.StartLine != parse.Line {
		where = fmt.Sprintf("line %d, in the row that begins at line %d: ", parse.Line, parse.StartLine)
	}
	if before < len(s.names) {
		where += fmt.Sprintf("column %q", s.names[before])
	} else { // in the header, or beyond it
		where += fmt.Sprintf("cell %d", before+1)
	}
	what := "has a quote within it"
	if errors.Is(parse, csv.ErrQuote) {
		what = "begins with a quote that is not closed at its end"
	}
	return fmt.Errorf(`%s %s: put the cell in quotes and write a quote in it twice ("")`, where, what)
}

// at adds the line and the column to an error about a cell.
func (s *scanner) at(column string, err error) error {
	return fmt.Errorf("line %d: column %q %w", s.line, column, err)
}
