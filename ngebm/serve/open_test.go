package serve

import (
	"net/http/httptest"
	"strings"
	"testing"

	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
)

// Images that no file gives, or of a set that the program made, are served as numbers.
func TestForRunWithoutFiles(t *testing.T) {
	net, err := nets.Parse("mlp-4")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data  string
		shape []int
	}{"two channels": {"npz:set.npz", []int{2, 2, 2}}, "a set of one's own": {"", []int{2, 2, 1}}} {
		classifier, err := ngebm.NewClassifier(testdevice.Open(t, "go"), net, 1, c.shape, []string{"a", "b"})
		if err != nil {
			t.Fatal(err)
		}
		h, err := ForRun(&ngebm.Run{Config: ngebm.Config{Data: c.data}, Classifier: classifier}, &echo{}, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", "/predict", strings.NewReader("GIF89a")))
		if w.Code != 415 || !strings.Contains(w.Body.String(), "takes no image files") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if err := h.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
