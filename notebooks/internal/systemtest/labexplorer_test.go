package systemtest

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/lab"
	"ngebm/notebooks/internal/setup"
)

// Where a browser should be but does not answer, the explorer trains once and ends.
func TestExplorerUnanswered(t *testing.T) {
	ready(t)
	t.Parallel()
	answers := ask(t, []string{"JPY_SESSION_NAME=09_live_explorer.ipynb"}, // as Jupyter's server says it
		question{"execute", `import (
	"context"
	"fmt"
	"os"

	"ngebm/ngebm/device"
	"ngebm/data/progress"
	"ngebm/plots/notebook/explorer"
)

%%
dev, _ := device.Open("cpu", progress.Discard{})
run, err := explorer.Explore(context.Background(), dev.Backend, explorer.Options{
	Start:  explorer.Settings{Alpha: 1, Noise: .1, Epochs: 2},
	Kernel: os.Getenv("GONB_JUPYTER_KERNEL_ID"),
	Notice: func(line string) { fmt.Println(line) },
})
fmt.Println(len(run.History.Loss), "steps,", err)`, "none came within 10s (was the panel out of sight, as after Run All Cells? Run this cell by itself, with Shift+Enter): this is one training with the values of the cell's first line."})
	if !strings.Contains(answers[0], "28 steps, <nil>") || strings.Count(answers[0], "The sliders need") != 1 {
		t.Errorf("it did not train, or does not say why in one line:\n%s", answers[0])
	}
}

// Run All Cells scrolls to the end of the notebook, with the panel out of sight. Who
// scrolls back finds it there, and Finish lets the cells below run; or nobody answered
// for it, and then the cell says why in one line and has trained by itself.
func testExplorerRunAll(t *testing.T, s *labInBrowser) {
	l := s.openCleared(t, "09_live_explorer.ipynb")
	l.runAll()
	const panelOrLine = `document.querySelector("fieldset:not([disabled]) button[name=train]") ||
		[...document.querySelectorAll(".jp-OutputArea pre")].find(p => p.textContent.includes("The sliders need"))`
	l.await("scroll back to the panel", `(() => {
		const view = document.querySelector(".jp-WindowedPanel-outer"), seen = `+panelOrLine+`;
		if (!seen && Date.now() - (window.scrolledAt ?? 0) > 1500) { // JupyterLab draws what has come into sight
			window.scrolledAt = Date.now();
			view.scrollTop = view.scrollTop > 0 ? view.scrollTop - 300 : view.scrollHeight;
		}
		return Boolean(seen);
	})()`)
	var panelSeen bool
	l.act("see which", chromedp.Evaluate(`(`+panelOrLine+`).tagName === "BUTTON"`, &panelSeen))
	if panelSeen {
		panel{l}.press("finish")
	}
	doc := l.awaitDone()
	printed := ""
	for _, o := range doc.CodeCells()[1].Outputs {
		printed += string(o.Text)
	}
	if want := "Nothing was trained."; panelSeen && !strings.Contains(printed, want) {
		t.Errorf("after Finish the cell prints %q, want %q", printed, want)
	}
	if !panelSeen && (strings.Count(printed, "The sliders need") != 1 || !strings.Contains(printed, "160 of 160 epochs")) {
		t.Errorf("where nobody answers the cell prints %q", printed)
	}
	t.Logf("the panel answered out of sight: %t", panelSeen)
}

// Behind a prefix, as on a hub, GoNB's own connection fails, and the panel makes its own.
func testExplorerBehindPrefix(t *testing.T, s *labInBrowser) {
	b := ready(t)
	root := wholeClone(t)
	here := &setup.Workspace{Root: root, Notebooks: filepath.Join(root, "notebooks")}
	port, err := lab.ChoosePort(0, display.New(os.Stdout))
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	env, mark := marked(t, "JUPYTER_CONFIG_DIR="+temp, "JUPYTER_DATA_DIR="+temp, "JUPYTER_RUNTIME_DIR="+temp,
		"JUPYTER_PATH="+filepath.Join(b.tools.Kernel, "jupyter"), "JUPYTER_TOKEN=prefix")
	cmd := exec.Command(b.tools.Python, append([]string{"-c", lab.Script, "--ServerApp.base_url=/user/ada/"}, lab.Arguments(here, port)...)...)
	cmd.Dir, cmd.Env = here.Notebooks, env
	leash, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		leash.Close()
		cmd.Wait()
		assertNoneLeft(t, mark)
	})
	base := fmt.Sprintf("http://127.0.0.1:%d/user/ada/", port)
	for deadline := time.Now().Add(lab.StartDeadline); ; time.Sleep(100 * time.Millisecond) {
		if answer, err := http.Get(base + "api/status?token=prefix"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("JupyterLab does not answer")
		}
	}
	l := openWindow(t, s.browser, filepath.Join(here.Notebooks, "09_live_explorer.ipynb"))
	l.open(base + "lab/tree/09_live_explorer.ipynb?token=prefix")
	l.shiftEnter(5)
	p := l.panel()
	p.slide("epochs", 0)
	p.press("train")
	p.await("✓ α=1 β=0.1 γ=0.1, noise 0.1, 10 epochs: accuracy")
	l.act("look", l.Take("lab-11-prefix"))
	p.press("finish")
	p.await("Finished.")
}
