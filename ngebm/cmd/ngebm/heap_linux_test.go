package main

import (
	"os"
	"regexp"
	"testing"
)

// The command runs with the heap of package heap: 1.75 GB of addresses, part of them meant
// for huge pages.
func TestTunedHeap(t *testing.T) {
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?s)\[heap\]\nSize: +\d{6,} kB\n[^\[]*VmFlags:[^\n]* hg`).Match(maps) {
		t.Errorf("no large mapping of the heap asks for huge pages:\n%.2000s", maps)
	}
}
