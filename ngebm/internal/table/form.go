package table

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// form is how numbers are written.
type form int

const (
	mixed   form = iota
	whole        // all as 3
	pointed      // all as 3.0
	forms
)

var wholePointed = regexp.MustCompile(`^[+-]?\d+\.0$`)

// formOf is the form of one field.
func formOf(field string) form {
	switch {
	case isWhole(field):
		return whole
	case wholePointed.MatchString(field):
		return pointed
	}
	return mixed
}

// rowForm is the form of all fields of a row.
func rowForm(fields []string) form {
	first := formOf(fields[0])
	if slices.ContainsFunc(fields[1:], func(f string) bool { return formOf(f) != first }) {
		return mixed
	}
	return first
}

// tally counts the forms of the lines after the first one, which decide whether it is
// unlike them.
type tally struct {
	rows, values [forms]int
	short        int // lines with hardly more digits than the first
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

// digits counts those of a number that matter, as 2 in -0.052e-7.
func digits(field string) int {
	mantissa, _, _ := strings.Cut(strings.ToLower(field), "e")
	mantissa = strings.TrimLeft(mantissa, "+-0.")
	return max(1, len(mantissa)-strings.Count(mantissa, "."))
}

// unlike reports a column's first number that it is written with fewer digits than all
// others, as a setting that scores are named after: 0.1 or 1e-3.
func (p *parser) unlike() bool {
	return len(p.first.fields) == 1 && len(p.Rows) >= fewRows && p.tally.short == 0
}

// orderly reports fields that name classes: from 0 or from 1 in any order, or -1 and 1.
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
