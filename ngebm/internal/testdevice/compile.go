package testdevice

import (
	"flag"
	"os"
	"testing"
)

// RunFast runs, in TestMain, tests that compile for seconds what then runs for
// milliseconds: XLA generates code without LLVM's optimizer, in half of the time.
// Benchmarks, runs with $NGEBM_LONG or $NGEBM_TEST_DEVICE set, and the tests of commands and notebooks keep
// XLA's own level. $XLA_FLAGS, if it is set, stays.
func RunFast(m *testing.M) (code int) {
	flag.Parse()
	bench := flag.Lookup("test.bench")
	if os.Getenv("XLA_FLAGS") == "" && os.Getenv("NGEBM_LONG") == "" && os.Getenv("NGEBM_TEST_DEVICE") == "" && (bench == nil || bench.Value.String() == "") {
		if err := os.Setenv("XLA_FLAGS", "--xla_backend_optimization_level=0"); err != nil {
			panic(err)
		}
	}
	return m.Run()
}
