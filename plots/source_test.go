package plots

import (
	"strings"
	"testing"

	"ngebm/data"
)

// The line names every set once, says which are lossy, and breaks where it is long; the
// figure above it stays as it is.
func TestProvenance(t *testing.T) {
	set := stripes(t, 10, 8, 8, 1)
	f, err := Images(set, upTo(10), nil)
	if err != nil {
		t.Fatal(err)
	}
	photographs := data.Info{Name: "CIFAR-10 (JPEG)", Split: "test", Lossy: true, Source: "A. Krizhevsky 2009", Checksum: "0123456789abcdef"}
	long := data.Info{Name: strings.Repeat("a set with a name of many words ", 4), Split: "train", Source: "computed"}
	with := f.WithSource(set.Info, photographs, set.Info, long)
	golden(t, "provenance", with, nil)
	for _, want := range []string{f.Alt, "CIFAR-10 (JPEG) test, lossy, SHA-256 01234567 (A. Krizhevsky 2009)", "stripes test, SHA-256 " + set.Checksum[:8] + " (computed)"} {
		if !strings.Contains(with.Alt, want) {
			t.Errorf("the alternative text %q lacks %q", with.Alt, want)
		}
	}
	if n := strings.Count(with.Alt, "stripes"); n != strings.Count(f.Alt, "stripes")+1 {
		t.Errorf("a set given twice is named %d times", n)
	}
	if f.WithSource() != f {
		t.Error("no set makes another figure")
	}
}
