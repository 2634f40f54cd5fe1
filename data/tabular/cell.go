package tabular

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

var errMissing = errors.New("has no value: fill it in, or leave the row or the column out")

// maxNumber bounds a number, so that the sum of squares of a column does not overflow.
const maxNumber = 1e150

// parseCell returns the number in a cell, or isNumber = false for a text. The error is about a missing
// value, or a number that is out of range or in a notation that is not read.
func parseCell(cell string) (v float64, isNumber bool, err error) {
	if isMissing(cell) {
		if cell != "" {
			return 0, false, fmt.Errorf("has %q, which stands for no value: fill it in, leave the row or the column out, or rename it if it is a category", cell)
		}
		return 0, false, errMissing
	}
	if strings.Trim(cell, "0123456789+-.eE") == "" {
		v, err := strconv.ParseFloat(cell, 64)
		if err == nil || errors.Is(err, strconv.ErrRange) {
			return v, true, checkNumber(v)
		}
		return 0, false, nil // a date, say
	}
	switch strings.ToLower(strings.TrimLeft(cell, "+-")) {
	case "inf", "infinity":
		return 0, false, fmt.Errorf("has %q: values must be finite", cell)
	}
	if commaNumber(cell) {
		return 0, false, fmt.Errorf("has %q: write numbers with a decimal point and without thousands separators", cell)
	}
	return 0, false, nil
}

func checkNumber(v float64) error {
	if !(math.Abs(v) <= maxNumber) {
		return fmt.Errorf("has %v: values must be finite and from -%g to %g", v, maxNumber, maxNumber)
	}
	return nil
}

// isMissing reports whether a cell is one of the usual marks of a missing value: those of pandas, R and
// spreadsheets.
func isMissing(cell string) bool {
	return slices.Contains([]string{"", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "nil", "none", "?", "-", "--", "."}, strings.ToLower(cell))
}

// commaNumber reports whether a cell is a number with a comma, as 0,5 or 1,234.5.
func commaNumber(cell string) bool {
	return strings.Contains(cell, ",") && strings.ContainsAny(cell, "0123456789") && strings.Trim(cell, "0123456789+-.,") == ""
}
