package ngebm_test

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
)

// blocked is a reporter that never returns; it stands for work that does not heed its
// context.
type blocked struct{}

func (blocked) Report(progress.Report) {
	fmt.Println("blocked")
	time.Sleep(time.Hour)
}

// The first signal stops a run in order; the second kills the process, whatever it is at.
func TestSecondSignalKills(t *testing.T) {
	const child = "NGEBM_TEST_BLOCKED"
	if os.Getenv(child) != "" {
		_, _ = ngebm.Train(t.Context(), testdevice.Open(t, "go"), small(), ngebm.Options{Runs: t.TempDir(), Progress: blocked{}})
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestSecondSignalKills$")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for sent := 0; ; sent++ {
		select {
		case err := <-ended:
			if status := cmd.ProcessState.Sys().(syscall.WaitStatus); sent < 2 || status.Signal() != os.Interrupt {
				t.Errorf("after %d signals it ended with %v", sent, err)
			}
			return
		default:
		}
		if sent == 20 {
			_ = cmd.Process.Kill()
			t.Fatal("20 signals did not end it")
		}
		_ = cmd.Process.Signal(os.Interrupt)
		time.Sleep(200 * time.Millisecond)
	}
}
