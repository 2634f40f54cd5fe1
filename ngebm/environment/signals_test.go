package environment_test

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"ngebm/ngebm/environment"
)

// The first signal asks a program to stop; the second ends it, though it is at work that
// does not heed its context.
func TestSecondSignalEndsTheProgram(t *testing.T) {
	const child = "NGEBM_TEST_DEAF"
	if os.Getenv(child) != "" {
		ctx, stop := environment.Interruptible(t.Context())
		defer stop()
		fmt.Println("ready")
		<-ctx.Done()
		fmt.Println("told") // and does not stop
		time.Sleep(time.Hour)
		return
	}
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run", "^TestSecondSignalEndsTheProgram$")
			cmd.Env = append(os.Environ(), child+"=1")
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			timeout := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
			defer timeout.Stop()
			signal := func(after string) {
				t.Helper()
				var said string
				if _, err := fmt.Fscanln(out, &said); err != nil || said != after {
					t.Fatalf("it says %q, want %q (%v)", said, after, err)
				}
				if err := cmd.Process.Signal(s); err != nil {
					t.Fatal(err)
				}
			}
			signal("ready")
			signal("told")
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			for again := time.Tick(100 * time.Millisecond); ; {
				select {
				case err := <-ended:
					if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != s {
						t.Errorf("it ended with %v", err)
					}
					return
				case <-again: // the handler may have been there for the second still
					_ = cmd.Process.Signal(s)
				}
			}
		})
	}
}
