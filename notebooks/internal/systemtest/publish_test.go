package systemtest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ngebm/notebooks/internal/notebook"
	"ngebm/notebooks/internal/notebooktest"
)

// Each way a cell can fail ends publish with an error that names notebook, cell
// and cause, within the time limit, with nothing written and no process left.
func TestPublishFailures(t *testing.T) {
	tests := []struct {
		name  string
		cells []string // the last one fails
		says  string
	}{
		{"compile_error", []string{"%%\nvar x int = \"a\""}, "line 2: cannot use \"a\""},
		{"compile_error_in_earlier_cell", []string{"func f() int { return 1 }\n\nvar y = f() + 1", "func f() string { return \"\" }"}, "cell 2, line 3: "},
		{"does_not_parse", []string{"%%\nfunc {"}, "expected"},
		{"panic", []string{"%%\npanic(\"boom\")"}, "boom"},
		{"exit", []string{"%%\nos.Exit(3)"}, "exit status 3"},
		{"shell", []string{"!true", "!false"}, "exit status 1"},
		{"shell_in_module", []string{"!*exit 7"}, "exit status 7"},
		{"script", []string{"%%bash\nexit 4"}, "exit status 4"},
		{"killed", []string{"!kill -9 $$"}, "signal: killed"},
		{"magic", []string{"%nosuchmagic"}, `"%nosuchmagic" unknown`},
		{"machine_path", []string{"%%\nwd, _ := os.Getwd()\nfmt.Println(\"saved in\", wd)"}, "names the repository's folder"},
		{"endless", []string{
			"!setsid sleep 900 >/dev/null 2>&1 &", // leaves its process group, and lives on
			"%%\nexec.Command(\"sleep\", \"901\").Start()\nfor {\n}",
		}, "still running after 6s, the longest a cell may take"},
	}
	ready(t)
	t.Parallel()
	root := pinsClone(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(root, "notebooks", test.name+".ipynb")
			notebooktest.Write(t, path, append([]string{"# Title", "%noautoget"}, test.cells...)...)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			site := filepath.Join(t.TempDir(), "site")
			limit := []string{}
			if test.name == "endless" {
				limit = []string{"-timeout", "6s"}
			}
			printed, took, err := runProgram(t, root, append(limit, "publish", "-w", "-o", site, test.name)...)
			if err == nil {
				t.Errorf("publish succeeded")
			}
			cell := len(test.cells) + 1
			first, _, _ := strings.Cut(test.cells[len(test.cells)-1], "\n")
			where := strings.NewReplacer("N", test.name, "C", string(rune('0'+cell)), "L", first).Replace("N.ipynb: cell C (L): ")
			_, reason, found := strings.Cut(printed, where)
			if !found || !strings.Contains(reason, test.says) {
				t.Errorf("it said\n%s\nnot %q and then %q", printed, where, test.says)
			}
			if most := 90 * time.Second; took > most {
				t.Errorf("it took %v, more than %v", took, most)
			}
			after, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(before, after) {
				t.Errorf("the notebook has changed (%v)", err)
			}
			if _, err := os.Stat(site); err == nil {
				t.Errorf("there is a site")
			}
		})
	}
}

// A whole notebook has a limit too.
func TestPublishTotalLimit(t *testing.T) {
	ready(t)
	t.Parallel()
	root := pinsClone(t)
	notebooktest.Write(t, filepath.Join(root, "notebooks", "long.ipynb"), "%noautoget", "!sleep 1", "!sleep 902")
	printed, _, err := runProgram(t, root, "publish", "-o", filepath.Join(t.TempDir(), "site"), "-total", "20s", "long")
	if err == nil || !strings.Contains(printed, "long.ipynb: cell 3 (!sleep 902): still running after 20s, the longest a notebook may take") {
		t.Errorf("%v\n%s", err, printed)
	}
}

// pictureCell shows a PNG of 40 by 30 pixels.
const pictureCell = `import (
	"bytes"
	"image"
	"image/png"

	"github.com/janpfeifer/gonb/gonbui"
)

%%
var b bytes.Buffer
if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
	panic(err)
}
gonbui.DisplayPng(b.Bytes())
gonbui.Sync() // or the program may end before GoNB has read the picture`

// Outputs are stored in the notebook, the same ones each time.
func TestPublishWritesBack(t *testing.T) {
	ready(t)
	t.Parallel()
	root := pinsClone(t)
	path := filepath.Join(root, "notebooks", "good.ipynb")
	notebooktest.Write(t, path, "# Good\n\nA picture.", pictureCell)
	var runs [2][]byte
	for i := range runs {
		if printed, _, err := runProgram(t, root, "publish", "-w", "good.ipynb"); err != nil {
			t.Fatalf("%v\n%s", err, printed)
		}
		var err error
		if runs[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	doc, err := notebook.Parse("good.ipynb", runs[0])
	if err != nil {
		t.Fatal(err)
	}
	if cells := doc.CodeCells(); len(cells[0].Outputs) != 1 || !strings.HasPrefix(cells[0].Outputs[0].Content("image/png"), "iVBOR") {
		t.Errorf("no PNG in\n%s", runs[0])
	}
	if !bytes.Equal(runs[0], runs[1]) {
		t.Errorf("the second run left another file:\n%s\nthan the first:\n%s", runs[1], runs[0])
	}
	if doc.Metadata.Ran.Code != doc.CodeHash() {
		t.Errorf("the notebook says that it ran code %q, not %q", doc.Metadata.Ran.Code, doc.CodeHash())
	}
	if bytes.Contains(runs[0], []byte("iopub")) {
		t.Errorf("times of execution are in the file")
	}
}
