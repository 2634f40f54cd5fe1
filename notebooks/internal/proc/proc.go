// Package proc starts programs such that none of them, nor what they start, outlives this one.
package proc

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ngebm/notebooks/internal/printable"
)

// Grace is how long a process gets between being asked to end and being killed.
const Grace = 10 * time.Second

// Command prepares a program that ends when ctx does: first SIGTERM, then, after
// grace, SIGKILL. It gets its own process group, so that a Ctrl-C typed at
// the terminal reaches it only through us.
func Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = Grace
	return cmd
}

// Detached prepares a program that outlives this one, with all that it starts: the browser of
// the person at the machine. It gets this program's environment, with one variable more by which
// it is known, and a session other than the terminal's. Only Linux needs the variable: elsewhere
// what a launcher has started is nobody's child.
func Detached(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Env = append(os.Environ(), detachedMark())
	return cmd
}

// detachedMark names this process, for a detached terminal may run this program once more.
func detachedMark() string { return "NGEBM_DETACHED_FROM=" + strconv.Itoa(os.Getpid()) }

// Run runs a program of the set-up, its output written to w line by line, standard
// output only if it has no other use. An error holds the end of what it printed.
func Run(ctx context.Context, cmd *exec.Cmd, w io.Writer) error {
	var tail printable.Tail
	cmd.Stderr = io.MultiWriter(&tail, w)
	if cmd.Stdout == nil {
		cmd.Stdout = cmd.Stderr
	}
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return fmt.Errorf("%s failed (%w):\n%s", shown(cmd), err, tail.String())
}

// Output runs a program that answers on standard output, and returns the answer. An error is
// that of [Run].
func Output(ctx context.Context, cmd *exec.Cmd) ([]byte, error) {
	var out bytes.Buffer
	cmd.Stdout = &out
	err := Run(ctx, cmd, io.Discard)
	return out.Bytes(), err
}

// shown is a command as a person would type it, cut to a readable length.
func shown(cmd *exec.Cmd) string {
	line := strings.Join(cmd.Args, " ")
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		line = line[:i] + " …"
	}
	return line
}

// process is one line of the system's process table.
type process struct {
	pid, parent, group int
	zombie             bool
	detached           bool // neither it nor what it started is in a family
}

// descendants returns every living process that descends from root, and every
// member of a process group that a descendant leads, but for detached ones.
func descendants(root int, table []process) []int {
	family := map[int]bool{root: true}
	groups := map[int]bool{}
	for grown := true; grown; {
		grown = false
		for _, p := range table {
			if !family[p.pid] && !p.detached && (family[p.parent] || groups[p.group]) {
				family[p.pid], grown = true, true
				groups[p.pid] = true // the group it leads, if it leads one
			}
		}
	}
	var pids []int
	for _, p := range table {
		if family[p.pid] && p.pid != root && !p.zombie {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// Family returns the living processes that this one started, directly or not, but for those
// that are Detached.
func Family() []int { return familyOf(os.Getpid()) }

func familyOf(pid int) []int {
	table, err := processes()
	if err != nil {
		return nil
	}
	return descendants(pid, table)
}

// KillFamily kills whatever this process started, directly or not, and is still
// there: kernels, the programs of cells, and what those left running. On Linux
// orphans come back to this process (see AdoptOrphans), so that nothing escapes;
// elsewhere an orphan does that was not seen while its parent lived.
func KillFamily() { KillFamilyOf(os.Getpid()) }

// KillFamilyOf is KillFamily for another living process, which is not killed itself.
func KillFamilyOf(pid int) {
	for range 50 {
		alive := familyOf(pid)
		if len(alive) == 0 {
			return
		}
		for _, pid := range alive {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
