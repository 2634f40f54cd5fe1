package study

import (
	"fmt"
	"slices"
	"strings"

	"ngebm/ngebm"
)

// Grid lists settings and the values that each takes; a sweep tries all combinations.
type Grid []GridSetting

// GridSetting is one setting of a configuration and its values, both as
// [ngebm.Config.Set] takes them.
type GridSetting struct {
	Key    string   `json:"key"`    // "beta"; "beta+gamma" gives both the same value
	Values []string `json:"values"` // "0", ".01", ".1"
}

// ParseGrid reads "beta=0,.01,.1;gamma=0,.01,.1": settings separated by semicolons,
// values by commas. A value may be a list in brackets. "beta+gamma=0,.1" gives several
// settings the same value, in place of all combinations. Whether the settings
// exist is checked by [Sweep.Run], before it trains anything.
func ParseGrid(s string) (Grid, error) {
	var g Grid
	for part := range strings.SplitSeq(s, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		key, list, ok := strings.Cut(part, "=")
		if !ok {
			return nil, fmt.Errorf("study: %q of the grid has no values; write key=value,value, as in beta=0,.01,.1;gamma=0,.01,.1", part)
		}
		setting := GridSetting{Key: strings.Join(strings.Fields(key), "")}
		for _, v := range ngebm.SplitSettings(list) {
			setting.Values = append(setting.Values, strings.TrimSpace(v))
		}
		g = append(g, setting)
	}
	return g, g.check()
}

// String writes the grid as [ParseGrid] reads it.
func (g Grid) String() string {
	var parts []string
	for _, s := range g {
		parts = append(parts, s.Key+"="+strings.Join(s.Values, ","))
	}
	return strings.Join(parts, ";")
}

// maxCells bounds the grid, so that a typo cannot exhaust memory.
const maxCells = 100_000

func (g Grid) check() error {
	if len(g) == 0 {
		return fmt.Errorf("study: the grid has no settings; give one or more, as in beta=0,.01,.1;gamma=0,.01,.1")
	}
	cells := 1
	seen := map[string]bool{}
	for i, s := range g {
		for _, name := range s.names() {
			switch {
			case name == "":
				return fmt.Errorf("study: setting %d of the grid has no name; write key=value,value, as in beta=0,.01,.1", i+1)
			case name == "seed":
				return fmt.Errorf("study: the grid cannot contain seed; give the sweep's seeds separately, since rows are means over them")
			case name == "validation":
				return fmt.Errorf("study: the grid cannot contain validation; rows would be evaluated on different examples; set it for all (-set)")
			case seen[name]:
				return fmt.Errorf("study: grid lists %s twice; put all its values in one entry", name)
			}
			seen[name] = true
		}
		if len(s.Values) == 0 || slices.Contains(s.Values, "") {
			return fmt.Errorf("study: %s of the grid lacks a value; write %s=value,value", s.Key, s.Key)
		}
		if cells *= len(s.Values); cells > maxCells {
			return fmt.Errorf("study: the grid has more than %d combinations; remove values", maxCells)
		}
	}
	return nil
}

// names are the settings that take the values.
func (s GridSetting) names() []string { return strings.Split(s.Key, "+") }

// cells is the number of combinations.
func (g Grid) cells() int {
	n := 1
	for _, s := range g {
		n *= len(s.Values)
	}
	return n
}

// values returns the combination of a cell, one value for each setting. The last
// setting changes fastest.
func (g Grid) values(cell int) []string {
	values := make([]string, len(g))
	for i, s := range slices.Backward(g) {
		values[i] = s.Values[cell%len(s.Values)]
		cell /= len(s.Values)
	}
	return values
}

// assignments is a cell's combination as [ngebm.Config.Set] takes it.
func (g Grid) assignments(cell int) string {
	var parts []string
	for i, v := range g.values(cell) {
		for _, name := range g[i].names() {
			parts = append(parts, name+"="+v)
		}
	}
	return strings.Join(parts, ",")
}
