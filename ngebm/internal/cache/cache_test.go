package cache

import (
	"errors"
	"os"
	"slices"
	"testing"
)

// What is written can be read; what could not be read is not written.
func TestSize(t *testing.T) {
	dir := t.TempDir()
	numbers := slices.Repeat([]float64{1.2345678901234567}, 3_000_000) // 57 MB, and 81 MB with a line for each
	if err := Write(dir, "numbers.json", numbers); err != nil {
		t.Fatal(err)
	}
	if got, err := Read[[]float64](dir, "numbers.json"); err != nil || !slices.Equal(*got, numbers) {
		t.Errorf("%d numbers are read (%v)", len(*got), err)
	}
	if err := Write(dir, "more.json", slices.Repeat(numbers, 2)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v (%v)", entries, err)
	}
}
