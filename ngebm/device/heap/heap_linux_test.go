package heap_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"

	_ "ngebm/ngebm/device/heap"
)

const printSize = "NGEBM_TEST_PRINT_HEAP"

func TestMain(m *testing.M) {
	if os.Getenv(printSize) != "" {
		fmt.Println(size())
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// size is how many bytes of addresses the C heap has; huge pages divide its mapping.
func size() (total int64) {
	maps, _ := os.ReadFile("/proc/self/maps")
	for _, m := range regexp.MustCompile(`(?m)^([0-9a-f]+)-([0-9a-f]+) .*\[heap\]$`).FindAllSubmatch(maps, -1) {
		from, _ := strconv.ParseInt(string(m[1]), 16, 64)
		to, _ := strconv.ParseInt(string(m[2]), 16, 64)
		total += to - from
	}
	return total
}

// The heap has 1.75 GB of addresses from the start, and none of them where addresses are
// limited: there the program starts as if it did not import this package.
func TestSize(t *testing.T) {
	const want = 7 << 28
	if got := size(); got < want {
		t.Errorf("the heap has %d bytes of addresses, want %d or more", got, want)
	}
	for _, limit := range []int{1_500_000, 1_800_000, 2_200_000} { // KiB; under 1.3 GB no Go program with C in it starts surely
		cmd := exec.Command("/bin/sh", "-c", fmt.Sprintf(`ulimit -v %d && exec "$0"`, limit), os.Args[0])
		cmd.Env = append(os.Environ(), printSize+"=1")
		out, err := cmd.CombinedOutput()
		got, _ := strconv.ParseInt(string(bytes.TrimSpace(out)), 10, 64)
		if err != nil || got < 1 || got > want/10 {
			t.Errorf("with ulimit -v %d: %v, %s", limit, err, out)
		}
	}
}
