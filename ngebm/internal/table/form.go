package table

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// form is the notation of numbers.
type form int

const (
	mixed   form = iota
	whole        // all like 3
	pointed      // all like 3.0
	forms
)

var wholePointed = regexp.MustCompile(`^[+-]?\d+\.0$`)

// formOf returns the form of one field.
func formOf(field string) form {
	switch {
	case isWhole(field):
		return whole
	case wholePointed.MatchString(field):
		return pointed
	}
	return mixed
}

// rowForm returns the form of all fields of a row.
func rowForm(fields []string) form {
	first := formOf(fields[0])
	if slices.ContainsFunc(fields[1:], func(f string) bool { return formOf(f) != first }) {
		return mixed
	}
	return first
}

// tally counts the forms of the lines after the first.
type tally struct {
	rows, values [forms]int
	short        int // lines with at most 2 more digits than the first
}

func (t *tally) add(fields []string, first line) {
	t.rows[rowForm(fields)]++
	for _, f := range fields {
		t.values[formOf(f)]++
	}
	if digits(fields[0]) <= digits(first.fields[0])+2 {
		t.short++
	}
}

// digits counts the significant digits of a number: 2 in -0.052e-7.
func digits(field string) int {
	mantissa, _, _ := strings.Cut(strings.ToLower(field), "e")
	mantissa = strings.TrimLeft(mantissa, "+-0.")
	return max(1, len(mantissa)-strings.Count(mantissa, "."))
}

// unlike reports whether a column's first number has fewer digits than all others, as a
// setting that names the scores does: 0.1 or 1e-3.
func (p *parser) unlike() bool {
	return len(p.first.fields) == 1 && len(p.Rows) >= fewRows && p.tally.short == 0
}

// orderly reports whether fields may be classes: from 0 or from 1 in any order, or -1 and 1.
func orderly(fields []string) bool {
	values := make([]int, len(fields))
	for k, f := range fields {
		n, err := strconv.Atoi(strings.TrimSuffix(f, ".0"))
		if err != nil {
			return false
		}
		values[k] = n
	}
	slices.Sort(values)
	if slices.Equal(values, []int{-1, 1}) {
		return true
	}
	for k, v := range values {
		if v != values[0]+k {
			return false
		}
	}
	return values[0] == 0 || values[0] == 1
}
