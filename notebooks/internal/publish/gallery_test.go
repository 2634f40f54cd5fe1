package publish

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every kind of figure is in the gallery with a sentence and a picture that its tests
// hold it to.
func TestGallery(t *testing.T) {
	exhibits, err := gallery(filepath.Join("..", "..", "..", "plots"))
	if err != nil {
		t.Fatal(err)
	}
	if len(exhibits) < 20 {
		t.Errorf("%d kinds of figures are few", len(exhibits))
	}
	for _, e := range exhibits {
		if len(e.Figures) == 0 {
			t.Errorf("plots.%s has no golden image: plots/testdata has no %s*.png or .gif", e.Name, hyphened(e.Name))
		}
		if !strings.HasPrefix(e.About, e.Name+" ") {
			t.Errorf("plots.%s is documented by %q", e.Name, e.About)
		}
	}
	if i := slices.IndexFunc(exhibits, func(e exhibit) bool { return e.Name == "Animate" }); i < 0 || exhibits[i].Figures[0].PosterFile != "figures/gallery-animate-poster.png" {
		t.Errorf("the animation and its poster are not in the gallery: %d", i)
	}
	for name, want := range map[string]string{"ScoreHistograms": "score-histograms", "ROC": "roc", "Bars": "bars", "ImageTable": "image-table"} {
		if got := hyphened(name); got != want {
			t.Errorf("%s is written %s, want %s", name, got, want)
		}
	}
	if none, err := gallery(t.TempDir()); none != nil || err != nil {
		t.Errorf("an empty folder gives %v, %v", none, err)
	}
}
