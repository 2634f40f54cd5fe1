package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const readme = "../../../README.md"

// readmeCommand is a command of the README and how it is run here.
type readmeCommand struct {
	line string // as the README has it
	run  string // made small; empty if it runs as it is
	says string // what it prints then
}

// Commands of this program, in the README's order. They run in one folder, with the files
// that prepareReadme writes there. Those that take long train fewer runs for fewer epochs.
var readmeCommands = []readmeCommand{
	{"train -preset digits", "train -preset digits -set epochs=1", "accuracy"},
	{"train -preset digits -set beta=.1,gamma=.1", "train -preset digits -set beta=.1,gamma=.1,epochs=1", "accuracy"},
	{"sweep -preset digits-few -grid 'beta=0,.01,.1;gamma=0,.01,.1' -seeds 1,2,3",
		"sweep -preset digits-few -grid 'beta=0,.01;gamma=0' -seeds 1 -set epochs=1 -model mlp-16 -device go", "2 runs trained"},
	{"train -preset digits-few -method jem-informative", "train -preset digits-few -method jem-informative -set epochs=1 -model mlp-16 -device go", "accuracy"},
	{"train -preset digits -model convnet+group+silu -set optimizer=sgd,momentum=.9,learning_rate=.03",
		"train -preset digits -model mlp-16 -set optimizer=sgd,momentum=.9,learning_rate=.03,epochs=1 -device go", "accuracy"},
	{"measure -logits L.csv -labels y.csv -val-logits V.csv -val-labels v.csv -ood noise=N.csv", "", "AUROC"},
	{"measure -in-scores in.csv -out-scores out.csv -o report.json", "", "AUROC"},
	// It is only planned, and no archive is read; TestKilledExperiment… runs a small one.
	{"experiment -preset cifar10-cpu -data tar:cifar10.tar.gz -seeds 1,2,3 -o results.json",
		"experiment -preset cifar10-cpu -seeds 1,2,3 -o results.json -dry-run", "21 runs, seeds 1, 2, 3"},
	{"merge -o all.json here.json there.json", "", "cross-entropy"},
	{"export runs/digits-… -onnx digits.onnx -safetensors digits.safetensors",
		"export $(ls -d runs/digits-* | head -n 1) -onnx digits.onnx -safetensors digits.safetensors", "load_state_dict"},
	{"bench -model wrn-10-2 -batch 64",
		"bench -model mlp-16 -shape 2 -batch 4 -images 4 -pgd-steps 1 -repeats 1 -rounds 1 -device go", "cross-entropy"},
}

// Other commands of the README, and where they are run, or why not.
var otherReadmeCommands = map[string]string{
	"go run ./notebooks": "notebooks/internal/systemtest opens notebooks with it",
	"go run ./ngebm/cmd/ngebm predict runs/digits-… image.png":     "TestPredictImages",
	"go test -timeout 40m ./...":                                   "this is it",
	"go run ./notebooks publish -o site":                           "notebooks/internal/systemtest publishes with it",
	"go run ./notebooks publish -o site -html-only":                "the same",
	"go run ./notebooks publish -w 00_start_here":                  "the same",
	"go mod init try":                                              "TestReadmeProgram writes the go.mod that these make,",
	"go mod edit -require ngebm@v0.0.0 -replace ngebm=/path/to/it": "with this module's requirements and sums,",
	"go mod tidy":                                  "since tidy downloads the modules of dependencies' tests.",
	"go run . /path/to/it/runs/digits-…":           "TestReadmeProgram",
	"go run ./ngebm/cmd/ngebm serve runs/digits-…": "TestServe",
}

// Every command of the README is known here, and nothing else is.
func TestReadmeHasTheseCommands(t *testing.T) {
	var want []string
	for _, c := range readmeCommands {
		want = append(want, "go run ./ngebm/cmd/ngebm "+c.line)
	}
	for line := range otherReadmeCommands {
		want = append(want, line)
	}
	got := commandsOf(readReadme(t))
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the README has the commands\n%s\nand this test\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Each command of this program that the README shows runs, made small.
func TestReadmeCommandsRun(t *testing.T) {
	bin, folder := build(t), t.TempDir()
	prepareReadme(t, folder)
	for _, c := range readmeCommands {
		t.Run(strings.Fields(c.line)[0], func(t *testing.T) {
			run := cmp.Or(c.run, c.line)
			cmd := exec.Command("sh", "-c", fmt.Sprintf("exec '%s' %s", bin, run))
			cmd.Dir = folder
			out, err := cmd.CombinedOutput()
			if err != nil || !bytes.Contains(out, []byte(c.says)) {
				t.Errorf("%s: %v, or it does not print %q:\n%s", run, err, c.says, out)
			}
		})
	}
}

// The README's program for another module compiles there and serves a run.
func TestReadmeProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it builds a program in another module")
	}
	bin, folder := build(t), t.TempDir()
	_, code, found := strings.Cut(readReadme(t), "```go\n")
	code, _, closed := strings.Cut(code, "```")
	if !found || !closed {
		t.Fatal("the README has no Go program")
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	requires, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	// The example of package serve is the same program.
	example, err := os.ReadFile("../../serve/example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	same := regexp.MustCompile(`(?m)^// .*\n`).ReplaceAllString(string(example), "")
	same = strings.NewReplacer("package serve_test", "package main", "func Example()", "func main()").Replace(same)
	if lines := strings.Count(code, "\n"); same != code || lines > 30 {
		t.Errorf("the README's program has %d lines, want 30 at most, and is not package serve's example:\n%s", lines, code)
	}
	address := freeAddress(t)
	code = strings.Replace(code, "127.0.0.1:8080", address, 1)
	mod := strings.Replace(string(requires), "module ngebm\n", "module try\n", 1) +
		fmt.Sprintf("\nrequire ngebm v0.0.0\n\nreplace ngebm => %q\n", root)
	writeReadmeFiles(t, folder, map[string]string{"main.go": code, "go.mod": mod, "go.sum": string(sums)})
	if out, err := exec.Command(bin, "train", "-preset", "digits", "-set", "epochs=1", "-runs", filepath.Join(folder, "runs")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	runs, err := filepath.Glob(filepath.Join(folder, "runs", "digits-*"))
	if err != nil || len(runs) != 1 {
		t.Fatalf("runs %v (%v)", runs, err)
	}
	if out, err := exec.Command(bin, "predict", runs[0]).CombinedOutput(); err != nil { // fits and stores one
		t.Fatalf("%v\n%s", err, out)
	}
	program := filepath.Join(folder, "try")
	cmd := exec.Command("go", "build", "-mod=mod", "-ldflags=-s", "-o", program, ".")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd = exec.Command(program, runs[0])
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answer := ""
	for began := time.Now(); answer == "" && time.Since(began) < 2*time.Minute; time.Sleep(100 * time.Millisecond) {
		if r, err := http.Post("http://"+address+"/predict", "image/png", bytes.NewReader(grayPNG(t, 8, 8))); err == nil {
			text, _ := io.ReadAll(r.Body)
			r.Body.Close()
			answer = string(text)
		}
	}
	if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, &log)
	}
	if !regexp.MustCompile(`^{"decisions":\[{"class":"\d","label":\d,"probability":\S+}\]}\n$`).MatchString(answer) {
		t.Errorf("the answer is %q\n%s", answer, &log)
	}
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func readReadme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// commandsOf lists the lines of indented blocks that run something, without comments.
func commandsOf(text string) (commands []string) {
	comment := regexp.MustCompile(`\s+#.*`)
	for line := range strings.Lines(text) {
		if command, ok := strings.CutPrefix(line, "    "); ok && strings.HasPrefix(command, "go ") {
			commands = append(commands, strings.TrimSpace(comment.ReplaceAllString(command, "")))
		}
	}
	return commands
}

// prepareReadme writes the files that the README's commands name.
func prepareReadme(t *testing.T, folder string) {
	results, err := filepath.Glob("../../study/published/results/*.json")
	if err != nil || len(results) == 0 {
		t.Fatalf("no published results (%v)", err)
	}
	published, err := os.ReadFile(results[0])
	if err != nil {
		t.Fatal(err)
	}
	logits, labels := strings.Repeat("2,0\n0,2\n3,1\n1,0\n", 5), strings.Repeat("0\n1\n0\n1\n", 5)
	writeReadmeFiles(t, folder, map[string]string{
		"L.csv": logits, "y.csv": labels, "V.csv": logits, "v.csv": labels, "N.csv": ".1,.2\n.2,.1\n",
		"in.csv": ".9\n.8\n.7\n", "out.csv": ".1\n.8\n.2\n",
		"here.json": string(published), "there.json": string(published),
	})
}

func writeReadmeFiles(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
