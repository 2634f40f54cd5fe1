package study

import (
	"fmt"
	"slices"
	"testing"
)

// The parts of a plan are its runs. Each has every method, but where weights are selected: then as few parts as can be
// have the runs that need them.
func TestPartRuns(t *testing.T) {
	for _, c := range []struct {
		methods []string
		of      int
		want    string // of the first part
	}{
		{[]string{"cross-entropy", "ng-ebm"}, 2, "cross-entropy, seeds 1, 3; ng-ebm, seeds 1, 3"},
		{[]string{"cross-entropy", "ng-ebm", "jem", "focal"}, 4, "cross-entropy, seeds 1; ng-ebm, seeds 1; jem, seeds 1; focal, seeds 1"},
		{[]string{"cross-entropy", "ng-ebm", "jem"}, 2, "cross-entropy, seeds 1, 3; ng-ebm, seeds 1, 3; jem, seeds 1, 3"},
		{[]string{"cross-entropy", Selected}, 2, "cross-entropy, seeds 1, 2, 3, 4"},
	} {
		p := Plan{Methods: c.methods, Seeds: []uint64{1, 2, 3, 4}}
		all := p.partRuns()
		var found []planned
		for i := range c.of {
			p.Part = Part{i + 1, c.of}
			mine := p.partRuns()
			if n := len(all) / c.of; len(mine) != n {
				t.Errorf("%v: part %d of %d has %d runs, want %d", c.methods, i+1, c.of, len(mine), n)
			}
			if got := p.partNames(); i == 0 && got != c.want {
				t.Errorf("%v: part 1 of %d is %q, want %q", c.methods, c.of, got, c.want)
			}
			found = append(found, mine...)
		}
		order := func(a, b planned) int {
			return slices.Compare([]byte(fmt.Sprint(a.seed, a.method)), []byte(fmt.Sprint(b.seed, b.method)))
		}
		slices.SortFunc(found, order)
		slices.SortFunc(all, order)
		if !slices.Equal(found, all) {
			t.Errorf("%v: the parts are %v, want %v", c.methods, found, all)
		}
	}
}
