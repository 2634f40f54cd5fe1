package cpuconv_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// The tests run in a process in which memory that nothing was written to is not zero (mallopt(3), M_PERTURB).
func TestMain(m *testing.M) {
	const perturb = "MALLOC_PERTURB_"
	if os.Getenv(perturb) != "" {
		os.Exit(m.Run())
	}
	again := exec.Command(os.Args[0], os.Args[1:]...)
	again.Env = append(os.Environ(), perturb+"=1")
	again.Stdout, again.Stderr = os.Stdout, os.Stderr
	if err := again.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
