package proc

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// AdoptOrphans makes this process the parent of every descendant whose own
// parent ends, so that [KillFamily] finds it.
func AdoptOrphans() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// environ is the environment that a process was started with; that of another user is not shown.
func environ(path string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return strings.Split(string(text), "\x00")
}

// processes reads the process table from /proc.
func processes() ([]process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var table []process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue // it has ended meanwhile
		}
		// "pid (name) state parent group …": the name may hold anything.
		p := process{pid: pid}
		var state string
		if _, err := fmt.Sscan(string(stat[bytes.LastIndexByte(stat, ')')+1:]), &state, &p.parent, &p.group); err != nil {
			continue
		}
		p.zombie = state == "Z" || state == "X"
		p.detached = slices.Contains(environ("/proc/"+entry.Name()+"/environ"), detachedMark())
		table = append(table, p)
	}
	return table, nil
}
