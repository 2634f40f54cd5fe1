package testdevice

import (
	"fmt"
	"os"
	"path/filepath"
)

// CompileCache is a folder of XLA's compiled programs for tests, which compile the same
// again and again: within a test, in other packages, and at the next `go test`. It is in the
// folder for temporary files, and is not the one that this user's programs use. It can be removed
// at any time. What times compiling, or measures the memory that it takes, has no use for it.
func CompileCache() string {
	return filepath.Join(os.TempDir(), fmt.Sprint("ngebm-test-compiled-", os.Geteuid()))
}
