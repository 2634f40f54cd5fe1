package study

import (
	"fmt"
	"strings"
)

// maxNotes bounds how many different notes one line has.
const maxNotes = 3

// NotesInShort says in one line which notes the runs have, and how many of them: "2 of 8 runs: it was
// trained by other code …". It is empty if none has one.
func (r *Results) NotesInShort() string {
	var runs, candidates []string
	for _, run := range r.Runs {
		runs = append(runs, run.Notes...)
	}
	n := 0
	if r.Selected != nil {
		for _, c := range r.Selected.Candidates {
			n += len(c.Runs)
			candidates = append(candidates, ofAnySeed(c.Notes)...)
		}
	}
	return strings.Join(append(countNotes(len(r.Runs), "runs", runs), countNotes(n, "candidates' runs", candidates)...), "; ")
}

// NotesInShort says in one line which notes the runs of all rows have, and how many of them; see
// [Results.NotesInShort].
func (t *SweepTable) NotesInShort() string {
	n := 0
	var notes []string
	for _, row := range t.Rows {
		n += len(row.Runs)
		notes = append(notes, ofAnySeed(row.Notes)...)
	}
	return strings.Join(countNotes(n, "runs", notes), "; ")
}

// ofAnySeed are notes without the seeds that they are of: "seed 2: ".
func ofAnySeed(notes []string) (all []string) {
	for _, note := range notes {
		if seed, rest, ok := strings.Cut(note, ": "); ok && strings.HasPrefix(seed, "seed ") {
			note = rest
		}
		all = append(all, note)
	}
	return all
}

// countNotes counts each different note of n runs.
func countNotes(n int, what string, notes []string) (parts []string) {
	count := map[string]int{}
	for _, note := range notes {
		count[note]++
	}
	for i, note := range union(nil, notes) {
		if i == maxNotes {
			return append(parts, fmt.Sprintf("and %d more notes", len(count)-maxNotes))
		}
		parts = append(parts, fmt.Sprintf("%d of %d %s: %s", count[note], n, what, note))
	}
	return parts
}
