package study_test

import (
	"strings"
	"testing"

	"ngebm/ngebm/study"
)

// Notes are counted over runs, rows and seeds.
func TestNotesInShort(t *testing.T) {
	r := made(t, smallPlan(t), 1, 1, 2)
	if got := r.NotesInShort(); got != "" {
		t.Errorf("without notes: %q", got)
	}
	r.Selected.Candidates = []study.Candidate{{Runs: []string{"a", "b"}, Notes: []string{"seed 1: of other code", "seed 2: of other code"}}}
	if got := r.NotesInShort(); got != "2 of 2 candidates' runs: of other code" {
		t.Error(got)
	}
	for i, note := range []string{"of other code", "resumed: elsewhere", "of other code"} {
		r.Runs[i].Notes = []string{note}
	}
	if got := r.NotesInShort(); got != "2 of 4 runs: of other code; 1 of 4 runs: resumed: elsewhere; 2 of 2 candidates' runs: of other code" {
		t.Error(got)
	}
	if got := r.Setup(); !strings.Contains(got, "notes      2 of 4 runs: of other code; ") {
		t.Errorf("no notes in\n%s", got)
	}
	table := study.SweepTable{Rows: []study.SweepRow{
		{Runs: []string{"a", "b"}, Notes: []string{"seed 1: x", "seed 2: x", "seed 1: y"}},
		{Runs: []string{"c", "d"}, Notes: []string{"seed 1: x", "seed 1: z", "seed 1: v", "seed 2: w"}},
	}}
	if got := table.NotesInShort(); got != "3 of 4 runs: x; 1 of 4 runs: y; 1 of 4 runs: z; and 2 more notes" {
		t.Error(got)
	}
}
