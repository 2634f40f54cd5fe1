package device

/*
#include <stdlib.h>

static int level; // 0 where the variable is not set, 1 where it is empty, else 2

// Before the Go runtime, and so before any package's init.
__attribute__((constructor)) static void look(void) {
	const char *value = getenv("TF_CPP_MIN_LOG_LEVEL");
	level = !value ? 0 : !*value ? 1 : 2;
}

static int level_before(void) { return level; }
*/
import "C"

import "os"

// logLevel is the environment variable by which XLA decides, while its plugin is loaded,
// which of its C++ log lines it prints. Errors arrive as Go errors whatever it is.
const logLevel = "TF_CPP_MIN_LOG_LEVEL"

// go-xla sets logLevel when it is imported. A program that imports this package keeps its
// environment.
func init() {
	switch C.level_before() {
	case 0:
		os.Unsetenv(logLevel)
	case 1:
		os.Setenv(logLevel, "")
	}
}

// quietXLA keeps the log lines of a plugin that is loaded out of the standard error, unless
// the environment asks for them, and returns what undoes it.
func quietXLA() (undo func()) {
	before, set := os.LookupEnv(logLevel)
	if before != "" || os.Setenv(logLevel, "3") != nil {
		return func() {}
	}
	if set {
		return func() { os.Setenv(logLevel, before) }
	}
	return func() { os.Unsetenv(logLevel) }
}
