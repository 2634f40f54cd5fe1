// Package nearest suggests the known name that a person meant by an unknown one.
package nearest

import (
	"fmt"
	"strings"
)

// Hint returns " (did you mean NAME?)" for the nearest known name, and "" if none is near.
func Hint(wrong string, known []string) string {
	if name := Name(wrong, known); name != "" {
		return fmt.Sprintf(" (did you mean %s?)", name)
	}
	return ""
}

// maxLen bounds an unknown name, in bytes: a longer one is no typo.
const maxLen = 100

// Name returns the known name that is nearest to an unknown one: by edit distance, up to a third of its
// length, or as an abbreviation ("lr" of learning_rate), a prefix, or the part after a dot ("pad" of
// augment.pad). It is "" if none is near, and the first of several equally near ones.
func Name(wrong string, known []string) string {
	if len(wrong) > maxLen {
		return ""
	}
	nearest, minDistance := "", allowed(len(wrong))+1
	for _, name := range known {
		if d := distance(strings.ToLower(wrong), strings.ToLower(name)); d < minDistance {
			nearest, minDistance = name, d
		}
	}
	return nearest
}

// allowed is the largest distance of a name of that many bytes.
func allowed(n int) int {
	if n <= 3 {
		return 1
	}
	return 1 + n/3
}

// distance is 1 for abbreviations and parts, else that in letters.
func distance(wrong, name string) int {
	_, part, _ := strings.Cut(name, ".")
	long := len(wrong) > 2 && len(name) > 2
	switch {
	case wrong == name:
		return 0
	case wrong != "" && (wrong == part || wrong == initials(name)):
		return 1
	case long && (strings.HasPrefix(name, wrong) || strings.HasPrefix(wrong, name)):
		return 1
	}
	return levenshtein(wrong, name)
}

// initials are the first letters of a name's words, "lr" of learning_rate.
func initials(name string) string {
	var letters string
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '_' || r == '-' }) {
		letters += word[:1]
	}
	if len(letters) < 2 {
		return ""
	}
	return letters
}

// levenshtein is the edit distance of two short strings: insertions, deletions, substitutions and swaps
// of neighbors (optimal string alignment).
func levenshtein(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			d := row[j]
			if a[i] != b[j] {
				d++
			}
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			next[j+1] = min(d, row[j+1]+1, next[j]+1)
		}
		before, row = row, next
	}
	return row[len(b)]
}
