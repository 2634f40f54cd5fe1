package train_test

import (
	"os"
	"sync"
	"testing"

	"ngebm/ngebm/internal/testdevice"
)

// scratch makes a folder that goes with this process, when it is first needed: the process
// of TestService has no folder that it may write.
var scratch = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "ngebm-train-") })

func TestMain(m *testing.M) {
	code := testdevice.RunFast(m)
	if dir, err := scratch(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}
