package systemtest

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ngebm/data/testdisk"
	"ngebm/notebooks/internal/notebooktest"
)

// A publishing that is killed with -9, at moments uniform over its time, leaves no
// process after half a minute and each file either as it was or whole and new; publishing
// again ends with the notebook and the site of one that was left alone.
func TestLongKilledPublishing(t *testing.T) {
	b := ready(t)
	t.Parallel()
	root := pinsClone(t)
	const name = "killed_test"
	path, site := filepath.Join(root, "notebooks", name+".ipynb"), filepath.Join(t.TempDir(), "site")
	t.Cleanup(func() {
		left, _ := filepath.Glob(filepath.Join(b.workspace.Cache, "executed", name+"-*"))
		for _, file := range left {
			os.Remove(file)
		}
	})
	notebooktest.Write(t, path, "# Killed\n\nA picture.", pictureCell)
	unrun := notebooktest.ReadFile(t, path)
	env, mark := marked(t, "TMPDIR="+t.TempDir())
	begin := func() *exec.Cmd {
		t.Helper()
		if err := os.WriteFile(path, unrun, 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(b.program, "publish", "-force", "-w", "-o", site, name)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = root, env, new(bytes.Buffer), new(bytes.Buffer)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	finish := func() {
		t.Helper()
		if cmd := begin(); cmd.Wait() != nil {
			t.Fatalf("%v\n%s%s", cmd.ProcessState, cmd.Stdout, cmd.Stderr)
		}
	}
	began := time.Now()
	finish()
	whole := time.Since(began)
	want, run := filesIn(t, site), notebooktest.ReadFile(t, path)
	rng := rand.New(rand.NewPCG(1, 2))
	kills, longest, finished := 0, time.Duration(0), 0
	for attempts := 0; kills < testdisk.Times(2, 50) && attempts < 200; attempts++ {
		cmd := begin()
		timer := time.AfterFunc(time.Duration(rng.Float64()*float64(whole)), func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		if timer.Stop() {
			if err != nil {
				t.Fatalf("%v\n%s%s", err, cmd.Stdout, cmd.Stderr)
			}
			continue
		}
		kills++
		killed := time.Now()
		for left := carriers(t, mark); len(left) > 0; left = carriers(t, mark) {
			if time.Since(killed) > 30*time.Second {
				t.Fatalf("half a minute after the kill there are %q", left)
			}
			time.Sleep(100 * time.Millisecond)
		}
		longest = max(longest, time.Since(killed))
		if kills%10 == 0 {
			t.Logf("%d kills", kills)
		}
		if now := notebooktest.ReadFile(t, path); !bytes.Equal(now, unrun) && !bytes.Equal(now, run) {
			t.Errorf("the notebook is neither as it was nor as it is when it has run:\n%s", now)
		}
		for file, content := range filesIn(t, site) {
			if whole, known := want[file]; known && content != whole {
				t.Errorf("%s with %d bytes is not whole", file, len(content))
			}
		}
		if kills%5 == 0 || kills == testdisk.Times(2, 50) {
			finish()
			finished++
			if now := notebooktest.ReadFile(t, path); !bytes.Equal(now, run) {
				t.Errorf("published again, the notebook differs:\n%s", now)
			}
			now := filesIn(t, site)
			for file, content := range want {
				if now[file] != content {
					t.Errorf("published again, %s differs", file)
				}
			}
			for file := range now {
				if _, known := want[file]; !known {
					t.Errorf("published again, %s is still there", file)
				}
			}
		}
	}
	t.Logf("left alone it took %v; %d kills, all processes gone after %v at most, %d times published again", whole, kills, longest, finished)
}

// filesIn returns the content of every file in a folder.
func filesIn(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files[strings.TrimPrefix(path, folder)] = string(notebooktest.ReadFile(t, path))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
