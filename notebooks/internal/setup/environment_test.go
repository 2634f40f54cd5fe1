package setup

import (
	"path/filepath"
	"strings"
	"testing"
)

// A cache folder that PATH cannot hold, or from which nothing can be run, is named.
func TestCheckCache(t *testing.T) {
	cache := t.TempDir()
	if err := CheckCache(cache); err != nil {
		t.Error(err)
	}
	for _, useless := range []string{"/home/ada/a:b", filepath.Join(cache, "missing")} {
		if err := CheckCache(useless); err == nil || !strings.Contains(err.Error(), "set XDG_CACHE_HOME to ") {
			t.Errorf("%s: %v", useless, err)
		}
	}
}
