package study_test

import (
	"os"
	"testing"

	"ngebm/data/testerror"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/study"
	"ngebm/ngebm/train"
)

// Parts that were trained on machines with nothing in common give, when merged, the tables
// of one machine that trained all.
func TestPartsMergeToTheWhole(t *testing.T) {
	p := briefPlan(t)
	whole, err := run(t, p, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var parts []*study.Results
	for i := range 2 {
		p.Part = study.Part{Index: i + 1, Of: 2}
		r, err := run(t, p, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Runs) != 2 || len(r.Missing()) != 2 {
			t.Errorf("part %d has %d runs, and lacks %v", i+1, len(r.Runs), r.Missing())
		}
		parts = append(parts, copied(t, r))
	}
	if parts[0].Selected != nil || parts[1].Selected == nil {
		t.Error("weights are selected by the part that trains with them, and only there")
	}
	// A part without runs trains nothing, and can be merged.
	p.Part = study.Part{Index: 5, Of: 5}
	var saved *study.Results
	folder := t.TempDir()
	if _, err := p.Run(t.Context(), testdevice.Open(t, "go"), train.Options{Runs: folder}, func(r *study.Results) error {
		saved = copied(t, r)
		return nil
	}); err != nil || saved == nil {
		t.Fatalf("the part without runs gives %v: %v", saved, err)
	}
	if trained, err := os.ReadDir(folder); err != nil || len(trained) > 0 {
		t.Errorf("it trains %v (%v)", trained, err)
	}
	parts = append(parts, saved)
	merged, err := study.Merge(parts...)
	if err != nil {
		t.Fatal(err)
	}
	if merged.String() != whole.String() {
		t.Errorf("the merged tables are\n%s\nand those of one machine\n%s", merged, whole)
	}
}

func TestParsePart(t *testing.T) {
	if p, err := study.ParsePart("2/4"); err != nil || p != (study.Part{Index: 2, Of: 4}) {
		t.Errorf("2/4 reads as %v (%v)", p, err)
	}
	for _, s := range []string{"", "2", "0/4", "5/4", "-1/4", "1/4/2", "a/b", "1/ 4"} {
		_, err := study.ParsePart(s)
		testerror.Want(t, err, "is not a part", "as in 2/4")
	}
}
