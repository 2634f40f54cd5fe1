package systemtest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// What a person does in JupyterLab. One server and one browser do for all, and what was trained
// when the notebooks were executed is there.
func testLabInBrowser(t *testing.T) {
	lockClone(t)
	s := startLab(t)
	for _, person := range []struct {
		does string
		test func(*testing.T, *labInBrowser)
	}{
		{"runs the first notebook", testStartHere},
		{"looks at an animation of others", testAnimationUntrusted},
		{"explores", testExplorer},
		{"runs all cells of the explorer", testExplorerRunAll},
		{"explores behind a prefix", testExplorerBehindPrefix},
		{"edits the code of runs", testStaleRuns},
		{"interrupts a comparison", testInterrupt}, // the last one, as it removes runs
	} {
		t.Run(person.does, func(t *testing.T) { person.test(t, s) })
	}
	s.stop()
}

// 03 as a person runs it who loses patience: the cell that trains, interrupted in the
// middle, and once more, which resumes at the step where it was; then all cells. Runs that were
// trained when the notebooks were executed are there, but for those of that cell until it has
// resumed.
func testInterrupt(t *testing.T, s *labInBrowser) {
	// All of them: one alone can be trained before anybody sees it.
	trained, _ := filepath.Glob(filepath.Join(s.runs, "digits-few-*"))
	for _, dir := range trained {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	l := s.openCleared(t, "03_calibration.ipynb")
	l.shiftEnter(5) // to the cell that trains, which stays in sight
	const output = `[...document.querySelectorAll(".jp-OutputArea-output")].map(o => o.textContent).join("\n")`
	const cell = `Means of 10 seeds and their 95 %`
	var said string
	for range 5 { // on a busy machine the interrupt may come between two runs: then once more
		l.await("see it train", `[...document.querySelectorAll(".jp-OutputArea-output progress[aria-label^=train]")].some(p => p.value > .05 && p.value < .7)`)
		l.act("look", l.Take("lab-4-training"))
		l.interrupt()
		l.await("see it stop", `/run the same comparison again to resume/.test(`+output+`)`)
		l.act("read", l.Take("lab-5-interrupted"), chromedp.Evaluate(`(/stopped at ([0-9]+) of [0-9]+ steps/.exec(`+output+`) ?? ["", ""])[1]`, &said))
		if said != "" {
			break
		}
		l.runCell(cell)
	}
	l.runCell(cell)
	l.await("see it resume", `/resumed at [0-9]+/.test(`+output+`)`)
	var resumed string
	l.act("read", l.Take("lab-6-resumed"), chromedp.Evaluate(`/resumed at ([0-9]+)/.exec(`+output+`)[1]`, &resumed))
	if said != resumed {
		t.Errorf("interrupted at step %s, it resumed at step %s", said, resumed)
	}
	for _, dir := range trained { // the others of the cell need not be trained again
		put(t, filepath.Join(executedRuns(), filepath.Base(dir)), dir)
	}
	l.runAll()
	if n := len(figures(l.awaitDone())); n < 3 {
		t.Errorf("%d figures", n)
	}
}

// copyRuns copies those runs of a folder that nobody is changing.
func copyRuns(t *testing.T, to, from string) {
	t.Helper()
	runs, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range runs {
		put(t, filepath.Join(from, run.Name()), filepath.Join(to, run.Name()))
	}
}

// put copies a run to where there is none yet, unless somebody is changing it.
func put(t *testing.T, from, to string) {
	t.Helper()
	part := to + ".part"
	err := os.CopyFS(part, os.DirFS(from))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if err != nil || os.Rename(part, to) != nil { // or the notebook has made it meanwhile
		if err := os.RemoveAll(part); err != nil {
			t.Fatal(err)
		}
	}
}
