package compilecache

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"ngebm/data/files"
)

// processorFile describes the processors of this machine, on Linux.
const processorFile = "/proc/cpuinfo"

// processorKeys are the lines of processorFile that say which code a processor can run and
// which is fast on it: on x86-64, then on arm64.
var processorKeys = []string{
	"vendor_id", "cpu family", "model", "model name", "stepping", "flags",
	"CPU implementer", "CPU architecture", "CPU variant", "CPU part", "CPU revision", "Features",
}

// processor returns what identifies the kind of the first processor in the file.
func processor(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("the kind of processor is not known: %w", err)
	}
	defer f.Close()
	var kind strings.Builder
	for lines := bufio.NewScanner(io.LimitReader(f, 1<<16)); lines.Scan() && strings.TrimSpace(lines.Text()) != ""; {
		key, value, _ := strings.Cut(lines.Text(), ":")
		if key = strings.TrimSpace(key); slices.Contains(processorKeys, key) {
			fmt.Fprintf(&kind, "%s:%s\n", key, strings.TrimSpace(value))
		}
	}
	if kind.Len() == 0 {
		return "", fmt.Errorf("%s does not say which kind of processor this is", path)
	}
	return kind.String(), nil
}

// environment returns what XLA reads of the environment when it compiles: its flags, or the
// file of flags that is named there, and a number of cores in place of the machine's.
func environment() []string {
	flags := os.Getenv("XLA_FLAGS")
	if text := strings.TrimSpace(flags); text != "" && !strings.HasPrefix(text, "-") {
		content, err := files.ReadLinked(text, 1<<20)
		flags = fmt.Sprintf("%s: %s %v", text, content, err)
	}
	return []string{flags, os.Getenv("NPROC")}
}
