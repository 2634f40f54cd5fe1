package measure

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What a writer that was killed has left of a report goes with the next writing of it;
// what may still be written, or is another's, stays.
func TestWriteTidies(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, age time.Duration) string {
		t.Helper()
		path := filepath.Join(dir, name)
		then := time.Now().Add(-age)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, then, then); err != nil {
			t.Fatal(err)
		}
		return path
	}
	left, young, other := file(".judged-1.json123", time.Hour), file(".judged-1.json456", 0), file(".judged-2.json123", time.Hour)
	if err := write(filepath.Join(dir, "judged-1.json"), 1); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{left: false, young: true, other: true, filepath.Join(dir, "judged-1.json"): true} {
		if _, err := os.Stat(path); err == nil != want {
			t.Errorf("%s exists: %v, want %v", filepath.Base(path), !want, want)
		}
	}
}
