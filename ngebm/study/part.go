package study

import (
	"fmt"
	"strconv"
	"strings"
)

// Part is the share of a plan's runs that one of several machines trains and measures:
// runs Index, Index+Of, Index+2·Of … of the plan's order, counted from 1. The zero value is
// all runs. [Merge] combines the results of the parts.
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

// of returns the runs that the part has.
func (p Part) of(runs []planned) []planned {
	if p == (Part{}) {
		return runs
	}
	var mine []planned
	for i := p.Index - 1; i < len(runs); i += p.Of {
		mine = append(mine, runs[i])
	}
	return mine
}
