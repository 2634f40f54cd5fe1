package study_test

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"ngebm/data/testerror"
	"ngebm/ngebm/study"
)

// photos writes images of two classes, the second of which is brighter, into dir/train and dir/test.
func photos(t *testing.T, dir string, brightness int, seed uint64) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	for _, part := range []struct {
		split string
		n     int
	}{{"train", 60}, {"test", 20}} {
		for k, class := range []string{"dark", "bright"} {
			folder := filepath.Join(dir, part.split, class)
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			for i := range part.n {
				img := image.NewGray(image.Rect(0, 0, 8, 8))
				for j := range img.Pix {
					img.Pix[j] = color.Gray{uint8(brightness + 20*k + rng.IntN(100))}.Y
				}
				f, err := os.Create(filepath.Join(folder, fmt.Sprint(i, ".png")))
				if err == nil {
					err = png.Encode(f, img)
				}
				if err != nil {
					t.Fatal(err)
				}
				f.Close()
			}
		}
	}
	return dir
}

// What was measured is found again under the names of now, once the folders of the test set and of an
// OOD set were renamed; another OOD validation set is another experiment.
func TestRenamedFolders(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	photos(t, path("photos-a"), 50, 1)
	photos(t, path("near-a"), 90, 2)
	photos(t, path("val"), 10, 3)
	plan := func(suffix string, seeds ...uint64) study.Plan {
		p := briefPlan(t)
		p.Methods, p.Selection, p.Seeds = []string{"cross-entropy"}, study.Selection{}, seeds
		p.Base.Data = "folder:" + path("photos-"+suffix)
		if err := p.Base.Set("limit=0,validation=40,batch=20"); err != nil {
			t.Fatal(err)
		}
		near := "folder:" + path("near-"+suffix)
		p.Measure.OODKinds, p.Measure.OODDatasets, p.Measure.Near = []string{"uniform noise"}, []string{near}, []string{near}
		p.Measure.Detectors, p.Measure.OODValidation = []string{"MDS"}, "folder:"+path("val")
		return p
	}
	runs := t.TempDir()
	before, err := run(t, plan("a", 1), runs)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"photos", "near"} {
		if err := os.Rename(path(name+"-a"), path(name+"-b")); err != nil {
			t.Fatal(err)
		}
	}
	after, err := run(t, plan("b", 1, 2), runs)
	if err != nil {
		t.Fatal(err)
	}
	first, second := after.Find("cross-entropy", 1), after.Find("cross-entropy", 2)
	if old := before.Find("cross-entropy", 1); old.Run != first.Run || old.Checkpoint != first.Checkpoint || first.TrainingSet != second.TrainingSet || first.TrainingSet == "" {
		t.Fatalf("other runs: %+v, %+v", old, first)
	}
	if first.Config.Data != second.Config.Data || first.Sets[2].Name != second.Sets[2].Name || first.Robustness[0].Dataset != second.Robustness[0].Dataset {
		t.Errorf("they are of %s and %s, tested on %s and %s", first.Config.Data, second.Config.Data, first.Sets[2].Name, second.Sets[2].Name)
	}
	for i, d := range first.Detection {
		if want := second.Detection[i]; d.Set != want.Set || d.Group != want.Group || d.Group == "" {
			t.Errorf("%s is of %q (%s), and of %q (%s) with seed 2", d.Score, d.Set, d.Group, want.Set, want.Group)
		}
	}

	p := plan("b", 1, 2)
	p.Done = copied(t, after)
	if _, err := run(t, p, t.TempDir()); err != nil {
		t.Errorf("continued: %v", err)
	}
	if err := os.RemoveAll(path("val")); err != nil {
		t.Fatal(err)
	}
	photos(t, path("val"), 10, 4)
	_, err = run(t, p, t.TempDir())
	testerror.Want(t, err, "cross-entropy, seed 1, whose parameters were chosen on another OOD validation set")
	other, err := run(t, plan("b", 2), runs)
	if err != nil {
		t.Fatal(err)
	}
	_, err = study.Merge(before, other)
	testerror.Want(t, err, "differ from the first in the protocol") // near-a and near-b
	one := copied(t, after)
	one.Seeds, one.Runs = []uint64{1}, one.Runs[:1]
	_, err = study.Merge(one, other)
	testerror.Want(t, err, "were chosen on another OOD validation set")
}
