package attack

import (
	"testing"
)

// Checkpoints of APGD with 100 steps: 22 steps, then 3 fewer each time, at least 6
// (Croce and Hein 2020: w_j = .22, .41, .57, .70, .80, .87, .93, .99). Losses that
// rise at every step halve nothing; losses that stand still halve at each.
func TestControl(t *testing.T) {
	c := newControl(2, 100, 1)
	c.begin([]float32{0, 0})
	var halvings []int
	for step := 1; step <= 100; step++ {
		before := c.lengths[1]
		c.observe([]float32{float32(step), 0})
		if c.lengths[1] != before {
			halvings = append(halvings, step)
			if !c.restart[1] || c.lengths[1] != before/2 {
				t.Errorf("step %d: length %v after %v, restart %v", step, c.lengths[1], before, c.restart[1])
			}
		} else if c.restart[1] {
			t.Errorf("step %d: restarts for nothing", step)
		}
	}
	want := []int{22, 41, 57, 70, 80, 87, 93, 99}
	if len(halvings) != len(want) || c.lengths[0] != 1 {
		t.Fatalf("halved at %v, want %v; rising losses left %v", halvings, want, c.lengths[0])
	}
	for i := range want {
		if halvings[i] != want[i] {
			t.Fatalf("halved at %v, want %v", halvings, want)
		}
	}
}
