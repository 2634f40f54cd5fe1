package systemtest

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"ngebm/notebooks/internal/browsertest"
	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/proc"
	"ngebm/notebooks/internal/setup"
)

// finding is what axe found wrong with a page.
type finding struct {
	Rule, Impact, Help string
	Nodes              []string // the elements and what is wrong with each
}

func (f finding) serious() bool { return f.Impact == "serious" || f.Impact == "critical" }

func (f finding) String() string {
	return fmt.Sprintf("axe: %s (%s): %s: %s", f.Rule, f.Impact, f.Help, strings.Join(f.Nodes, "; "))
}

// check runs axe on the page that is open.
func check(axe string, found *[]finding) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		if err := chromedp.Evaluate(axe, nil).Do(ctx); err != nil {
			return err
		}
		var answer string
		err := chromedp.Evaluate(`axe.run({resultTypes: ["violations"], preload: false}).then(r => JSON.stringify(r.violations.map(v => ({
			Rule: v.id, Impact: v.impact, Help: v.help,
			Nodes: v.nodes.slice(0, 5).map(n => n.target.join(" ") + ": " + n.failureSummary.replace(/\s+/g, " ")),
		}))))`, &answer, browsertest.AwaitPromise).Do(ctx)
		if err != nil {
			return err
		}
		return json.Unmarshal([]byte(answer), found)
	})
}

// axe is Deque's checker of accessibility, which is not ours to commit (MPL 2.0): a
// package on PyPI carries it as it is published, pinned here by its hash.
const axeWheel = "axe-playwright-python==0.1.8 --hash=sha256:fdd263c998388f1a8e67cad02677e612d946248bd44d163be5e8650ea31f95f8\n"

// axeScript returns axe 4.12.1, from the cache folder or, once, from PyPI.
func axeScript(t *testing.T) string {
	t.Helper()
	b := ready(t)
	folder := b.workspace.Folder("axe", axeWheel)
	err := setup.Ensure(t.Context(), folder, "axe, which checks accessibility", display.New(os.Stdout), func(ctx context.Context, dir string) error {
		pins := filepath.Join(dir, "requirements.txt")
		if err := os.WriteFile(pins, []byte(axeWheel), 0o644); err != nil {
			return err
		}
		cmd := proc.Command(ctx, b.tools.Python, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--progress-bar=off", "--no-deps", "--require-hashes", "-d", dir, "-r", pins)
		cmd.Env = setup.PythonEnv()
		return proc.Run(ctx, cmd, display.New(os.Stdout))
	})
	if err != nil {
		t.Fatalf("no axe: %v", err)
	}
	wheels, err := filepath.Glob(filepath.Join(folder, "*.whl"))
	if err != nil || len(wheels) != 1 {
		t.Fatalf("%s holds %d wheels (%v)", folder, len(wheels), err)
	}
	wheel, err := zip.OpenReader(wheels[0])
	if err != nil {
		t.Fatal(err)
	}
	defer wheel.Close()
	file, err := wheel.Open("axe_playwright_python/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var script bytes.Buffer
	if _, err := io.Copy(&script, file); err != nil {
		t.Fatal(err)
	}
	return script.String()
}
