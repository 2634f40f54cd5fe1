package systemtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ngebm/notebooks/internal/notebooktest"
)

// What is stored of a network of one's own.
const (
	ownNetwork = `import (
	"context"
	"fmt"
	"os"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm"
	"ngebm/ngebm/device"
	"ngebm/ngebm/environment"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/train"
	"ngebm/plots/notebook"
)

// mine keeps its name, whatever becomes of it.
type mine struct{}

func (mine) String() string { return "mine" }

func (mine) Logits(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
	x = graph.Reshape(x, x.Shape().Dimensions[0], -1)
	x = nets.Dense(scope.In("hidden"), x, 16)
	x = nets.SiLU(x)
	return nets.Dense(scope.In("answer"), x, classes)
}

// fit trains the digits, or loads what was trained before, and prints what came out.
func fit(net string, opts train.Options) {
	dev, err := device.Open("cpu", notebook.Reporter(os.Stderr))
	if err != nil {
		panic(err)
	}
	cfg := ngebm.DefaultConfig("digits", net)
	if net != "" {
		cfg.Name = "stale-" + net // others have its configuration, too
	}
	cfg.Limit, cfg.Epochs, cfg.Beta, cfg.Warmup = 200, 5, .1, 0
	opts.Progress, opts.Runs = notebook.Reporter(os.Stderr), environment.Runs()
	run, err := train.Run(context.Background(), dev.Backend, cfg, opts)
	if err != nil {
		panic(err)
	}
	h := run.History
	fmt.Printf("loaded %t, accuracy %v, loss %v\n", run.Loaded, h.Evaluations[len(h.Evaluations)-1].Accuracy, h.Loss[len(h.Loss)-1])
}`
	ownRun     = "%%\n// my own network\nconst fresh = false\nfit(\"\", train.Options{Network: mine{}, Fresh: fresh})"
	builtInRun = "%%\n// one that is built in\nfit(\"mlp-16\", train.Options{})"
)

// runShown is what a cell tells of its run.
type runShown struct {
	loaded, numbers string
	lines           string // all that stands below the cell
}

var showsRun = regexp.MustCompile(`loaded (true|false), (accuracy \S+, loss \S+)`)

// again runs the cell with that line once more and returns what stands below it then.
func (l *session) again(line string) runShown {
	l.T.Helper()
	return l.showsAfter(line, func() { l.runCell(line) })
}

// showsAfter returns what stands below the cell with that line once something has made it
// run.
func (l *session) showsAfter(line string, act func()) (s runShown) {
	l.T.Helper()
	count := 1 + lastCount(l.awaitDone())
	act()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		for _, c := range l.awaitDone().CodeCells() {
			// Another cell may run in between, one that was edited just before.
			if !strings.Contains(string(c.Source), line) || c.Count == nil || *c.Count < count {
				continue
			}
			for _, o := range c.Outputs {
				s.lines += string(o.Text) + o.Content("text/html") + "\n"
			}
			found := showsRun.FindStringSubmatch(s.lines)
			if found == nil {
				l.T.Fatalf("the cell with %q printed %q", line, s.lines)
			}
			s.loaded, s.numbers = found[1], found[2]
			return s
		}
	}
	l.T.Fatalf("the cell with %q did not run as number %d or later", line, count)
	return s
}

// is checks what a cell tells of its run: whether it was loaded, and a part of what is
// said of it.
func (s runShown) is(t *testing.T, when, loaded, line string) {
	t.Helper()
	if s.loaded != loaded || !strings.Contains(s.lines, line) {
		t.Errorf("%s: loaded %s, want %s, and %q in\n%s", when, s.loaded, loaded, line, s.lines)
	}
}

// A number that a cell shows belongs to what the cell asks for. A network of one's own
// that is edited under its name is trained; a stored run is said to be of other code once
// the library's loss is edited, until it is trained again; one from before networks were
// recorded is loaded, and that is said.
func testStaleRuns(t *testing.T, s *labInBrowser) {
	l := s.open(t, "stale.ipynb", func(t *testing.T, path string) {
		notebooktest.Write(t, path, "# Stale", ownNetwork, ownRun, builtInRun)
	})
	const own, builtIn = "// my own network", "// one that is built in"
	l.runAll()
	l.awaitDone()

	trained := l.again(own)
	trained.is(t, "once more", "true", "loaded ")
	l.replaceLine("x = nets.SiLU(x)", "x = graph.Tanh(x)")
	edited := l.again(own)
	edited.is(t, "with another activation", "false", "")
	if edited.numbers == trained.numbers {
		t.Errorf("the activation was edited, and the cell shows %s, as before", edited.numbers)
	}
	l.act("look", l.Take("lab-13-edited"))
	l.replaceLine("x = graph.Tanh(x)", "x = nets.SiLU(x)")
	if back := l.again(own); back.loaded != "true" || back.numbers != trained.numbers {
		t.Errorf("with the first activation again: %+v, want what it gave: %s", back, trained.numbers)
	}

	loss := filepath.Join(filepath.Dir(filepath.Dir(l.notebook)), "ngebm", "energy", "loss.go")
	before := string(notebooktest.ReadFile(t, loss))
	after := strings.Replace(before, "Value: ReduceVariance(e)", "Value: MulScalar(ReduceVariance(e), 2)", 1)
	if after == before {
		t.Fatalf("%s has no variance to be edited", loss)
	}
	if err := os.WriteFile(loss, []byte(after), 0o644); err != nil {
		t.Fatal(err)
	}
	const otherCode = "it was trained by other code than this"
	stored := l.again(own)
	stored.is(t, "with another loss", "true", otherCode)
	l.again(builtIn).is(t, "with another loss", "true", otherCode)
	l.act("look", l.Take("lab-14-other-code"))
	now := l.showsAfter(own, func() { l.replaceLine("const fresh = false", "const fresh = true") })
	now.is(t, "with another loss, trained again", "false", "")
	if now.numbers == stored.numbers {
		t.Errorf("the loss was edited, and trained again the cell shows %s, as before", now.numbers)
	}
	if s := l.showsAfter(own, func() { l.replaceLine("const fresh = true", "const fresh = false") }); s.loaded != "true" || s.numbers != now.numbers || strings.Contains(s.lines, otherCode) {
		t.Errorf("after that: %+v, want what this code gave: %s", s, now.numbers)
	}

	forgetNetwork(t, filepath.Join(s.runs, "stale-mlp-16-*", "config.json"))
	l.again(builtIn).is(t, "a run from before networks were recorded", "true", "its network was not recorded when it was trained")
	l.act("look", l.Take("lab-15-not-recorded"))
}

// forgetNetwork takes out of a run's config.json what those from before do not have.
func forgetNetwork(t *testing.T, pattern string) {
	t.Helper()
	files, _ := filepath.Glob(pattern)
	if len(files) != 1 {
		t.Fatalf("%d files are %s", len(files), pattern)
	}
	var config map[string]any
	if err := json.Unmarshal(notebooktest.ReadFile(t, files[0]), &config); err != nil {
		t.Fatal(err)
	}
	if config["network"] == nil {
		t.Fatalf("%s records no network", files[0])
	}
	delete(config, "network")
	raw, err := json.Marshal(config)
	if err == nil {
		err = os.WriteFile(files[0], raw, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
