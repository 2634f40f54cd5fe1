//go:build !linux

package proc

import (
	"fmt"
	"os/exec"
	"strings"
)

// AdoptOrphans does nothing: only Linux has such a thing.
func AdoptOrphans() error { return nil }

// processes reads the process table from ps.
func processes() ([]process, error) {
	cmd := exec.Command("ps", "-A", "-o", "pid=,ppid=,pgid=,state=")
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var table []process
	for line := range strings.Lines(string(out)) {
		var p process
		var state string
		if _, err := fmt.Sscan(line, &p.pid, &p.parent, &p.group, &state); err != nil || p.pid == cmd.Process.Pid {
			continue
		}
		p.zombie = strings.HasPrefix(state, "Z")
		table = append(table, p)
	}
	return table, nil
}
