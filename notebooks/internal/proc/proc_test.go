package proc

import (
	"testing"
)

func TestDescendants(t *testing.T) {
	table := []process{
		{pid: 1}, {pid: 10, parent: 1, group: 10}, // 10 is the root, in a group of its own …
		{pid: 11, parent: 1, group: 10},  // … which a stranger shares
		{pid: 20, parent: 10, group: 20}, // a child with a group
		{pid: 21, parent: 1, group: 20},  // a grandchild that lost its parent
		{pid: 30, parent: 20, group: 30}, {pid: 31, parent: 30, group: 30, zombie: true},
		{pid: 40, parent: 1, group: 40},
		{pid: 50, parent: 10, group: 50, detached: true}, {pid: 51, parent: 50, group: 50},
	}
	got := descendants(10, table)
	if len(got) != 3 || got[0] != 20 || got[1] != 21 || got[2] != 30 {
		t.Errorf("descendants %v, not 20 21 30", got)
	}
}
