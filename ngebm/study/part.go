package study

import (
	"fmt"
	"strconv"
	"strings"
)

// Part is the share of a plan's runs that one of several machines trains and measures: one of Of equal
// parts, counted from 1. Unless weights are selected, each has runs of every method, if there are enough. The zero
// value is all runs. [Merge] combines the results of the parts.
type Part struct{ Index, Of int }

// ParsePart reads "2/4", the second of four parts.
func ParsePart(s string) (Part, error) {
	index, of, _ := strings.Cut(s, "/")
	i, err1 := strconv.Atoi(index)
	n, err2 := strconv.Atoi(of)
	p := Part{i, n}
	if err1 != nil || err2 != nil || !p.valid() {
		return Part{}, fmt.Errorf("study: %.60q is not a part; write i/n, from 1/n to n/n, as in 2/4 for the second of four", s)
	}
	return p, nil
}

// valid reports whether it is one of a positive number of parts.
func (p Part) valid() bool { return p.Index >= 1 && p.Index <= p.Of }
