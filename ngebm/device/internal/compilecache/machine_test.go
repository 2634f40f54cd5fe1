package compilecache

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestProcessor(t *testing.T) {
	of := func(text string) (string, error) {
		path := filepath.Join(t.TempDir(), "cpuinfo")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return processor(path)
	}
	x86 := "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\ncpu MHz\t\t: 2596.146\nflags\t\t: fpu avx512f\n\nprocessor\t: 1\nflags\t\t: none\n"
	want := "vendor_id:AuthenticAMD\nmodel name:AMD EPYC\nflags:fpu avx512f\n"
	for text, what := range map[string]string{
		x86: "as it is",
		strings.Replace(x86, "2596.146", "1400", 1):                 "at another frequency",
		strings.Replace(x86, "processor\t: 0", "processor\t: 9", 1): "on another core",
	} {
		if got, err := of(text); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", what, got, err, want)
		}
	}
	if got, err := of("processor : 0\nBogoMIPS : 50.00\nFeatures : fp asimd\nCPU part : 0xd0c\n"); err != nil || got != "Features:fp asimd\nCPU part:0xd0c\n" {
		t.Errorf("arm64: %q, %v", got, err)
	}
	for _, text := range []string{"", "hart : 0\n"} {
		if got, err := of(text); err == nil {
			t.Errorf("%q is %q", text, got)
		}
	}
	if _, err := processor(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("without /proc the processor is known")
	}
}
