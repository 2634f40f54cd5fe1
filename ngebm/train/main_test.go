package train_test

import (
	"os"
	"testing"

	"ngebm/ngebm/internal/testdevice"
)

// scratch is a folder that goes with this process.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "ngebm-train-"); err != nil {
		panic(err)
	}
	code := testdevice.RunFast(m)
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}
