package convgrad_test

import (
	"os"
	"testing"

	"ngebm/ngebm/internal/testdevice"
)

func TestMain(m *testing.M) { os.Exit(testdevice.RunFast(m)) }
