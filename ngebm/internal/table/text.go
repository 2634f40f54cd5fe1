package table

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// line is one line of a file that holds something, cut into fields.
type line struct {
	number int
	text   string
	fields []string
}

// maxLine bounds the bytes of a line: 20,000 logits take half a megabyte.
const maxLine = 16 << 20

// scanner reads the lines that hold something.
type scanner struct {
	*bufio.Reader
	number  int    // of the line that was read last
	emptied int    // the last empty line before it
	remark  string // the last line after #
}

// next returns a line without its end, which is \n, \r\n, \r\r\n (text of Windows written
// twice) or \r.
func (s *scanner) next() (line, error) {
	for {
		text, err := s.read()
		if err != nil {
			return line{}, err
		}
		s.number++
		switch trimmed := strings.TrimSpace(text); {
		case trimmed == "":
			s.emptied = s.number
		case isRemark(trimmed):
			s.remark = trimmed[1:]
		default:
			return line{number: s.number, text: text}, nil
		}
	}
}

func (s *scanner) read() (string, error) {
	var text []byte
	for {
		c, err := s.ReadByte()
		switch {
		case err == io.EOF && len(text) > 0:
			return string(text), nil
		case err != nil:
			return "", err
		case c == '\n':
			return string(text), nil
		case c == '\r':
			return string(text), s.endReturn()
		case len(text) == maxLine:
			return "", fmt.Errorf("line %d has more than %d bytes", s.number+1, maxLine)
		}
		text = append(text, c)
	}
}

// endReturn reads what belongs to the line's end after a \r.
func (s *scanner) endReturn() error {
	next, err := s.Peek(2)
	if err != nil && err != io.EOF {
		return err
	}
	switch {
	case strings.HasPrefix(string(next), "\n"):
		_, err = s.Discard(1)
	case string(next) == "\r\n":
		_, err = s.Discard(2)
	default:
		err = nil
	}
	return err
}

// split cuts a line at sep; ' ' stands for any run of blanks. A separator in quotes
// belongs to its field, and two quotes in quotes are one. ok is false for quotes that do
// not end on the line.
func split(text string, sep byte) (fields []string, ok bool) {
	if !strings.Contains(text, `"`) {
		if sep == ' ' {
			return strings.Fields(text), true
		}
		fields = strings.Split(text, string(rune(sep)))
		for i, f := range fields {
			fields[i] = strings.TrimSpace(f)
		}
		return fields, true
	}
	var field strings.Builder
	end := func() {
		fields = append(fields, strings.TrimSpace(field.String()))
		field.Reset()
	}
	quoted, began := false, false // began: a field of blanks may be an empty one in quotes
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' && quoted && i+1 < len(text) && text[i+1] == '"':
			field.WriteByte(c)
			i++
		case c == '"':
			quoted, began = !quoted, true
		case quoted:
			field.WriteByte(c)
		case c == sep && sep != ' ':
			end()
		case sep == ' ' && unicode.IsSpace(rune(c)):
			if began {
				end()
			}
			began = false
		default:
			began = true
			field.WriteByte(c)
		}
	}
	if sep != ' ' || began {
		end()
	}
	return fields, !quoted
}

// sniffed is the number of lines in which the separator is looked for.
const sniffed = 20

const separators = ",;\t| "

// decimalComma is a number such as -1,25 or 1.234,5.
var decimalComma = regexp.MustCompile(`^[+-]?\d[\d.]*,\d+([eE][+-]?\d+)?$`)

var errDecimalComma = errors.New("its numbers have decimal commas, as in 0,5: write them with points (pandas: decimal='.'; R: write.csv; Excel: a locale with points)")

// separator says what separates the values of these lines: what cuts each into
// numbers. The first line counts only where it is alone, since it may be a header.
func separator(lines []line) (byte, error) {
	if len(lines) > 1 {
		lines = lines[1:]
	}
	best, most := byte(','), 0
	for _, sep := range []byte(separators) {
		numbers, commas, others, cut := 0, 0, 0, false
		for _, l := range lines {
			fields, _ := split(l.text, sep)
			cut = cut || len(fields) > 1
			for i, f := range fields {
				switch {
				case isNumber(f):
					numbers++
				case decimalComma.MatchString(f):
					commas++
				case i > 0 && !isMissing(f) && f != "": // the first may be an index
					others++
				}
			}
		}
		if numbers > 0 && others == 0 && commas == 0 {
			return sep, nil
		}
		if commas > 0 && others == 0 && cut {
			return sep, errDecimalComma
		}
		if cut && numbers > most {
			best, most = sep, numbers
		}
	}
	return best, nil
}

// isRemark reports a line after #, which is not one of Excel's errors.
func isRemark(text string) bool {
	if text[0] != '#' {
		return false
	}
	end := strings.IndexFunc(text, func(r rune) bool { return strings.ContainsRune(separators, r) })
	if end < 0 {
		end = len(text)
	}
	return !isMissing(text[:end])
}

// parseNumber is strconv.ParseFloat without what only Go reads as a number: digits that underscores
// separate, as in the name 0_1.
func parseNumber(field string) (float64, error) {
	if strings.Contains(field, "_") {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(field, 64)
}

// isName says what is neither a number, finite or not, nor a missing one.
func isName(field string) bool {
	_, err := parseNumber(field)
	return errors.Is(err, strconv.ErrSyntax) && !isMissing(field) && !decimalComma.MatchString(field)
}

// isNumber reports a finite number.
func isNumber(field string) bool {
	v, err := parseNumber(field)
	return err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}

// isWhole reports a number that is written as a whole one, as 3 and not as 3.0.
func isWhole(field string) bool {
	_, err := strconv.ParseInt(field, 10, 64)
	return err == nil
}

// isMissing says what programs write for a value that is missing: the list of pandas
// (na_values of read_csv), Excel's errors, and what people write.
func isMissing(field string) bool {
	switch strings.ToLower(field) {
	case "", "#n/a", "#n/a n/a", "#na", "-1.#ind", "-1.#qnan", "-nan", "1.#ind", "1.#qnan", "1.#inf", "-1.#inf", "<na>", "n/a", "na", "null", "nan", "+nan", "none", "nil",
		"#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!",
		"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity", "-", "--", "?", ".", "missing", "undefined":
		return true
	}
	return false
}

// number returns a field's value, or says what is wrong with it.
func number(field string) (float64, error) {
	v, err := parseNumber(field)
	switch {
	case field == "":
		return 0, errors.New("is missing; every value must be finite")
	case math.IsNaN(v) || math.IsInf(v, 0) || isMissing(field):
		return 0, fmt.Errorf("is %.40s; every value must be finite", printable(field))
	case decimalComma.MatchString(field):
		return 0, fmt.Errorf("is %.40s: write numbers with a decimal point, and without separators of thousands", field)
	case err != nil:
		return 0, fmt.Errorf("is %.40q, which is no number", field)
	}
	return v, nil
}
