package bench

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

//go:embed peer.py
var peerScript []byte

// process works when it is asked to.
type process struct {
	hello
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	errors  bytes.Buffer
}

// start starts a command with a task as its last argument and waits until it is ready.
func start(ctx context.Context, command []string, t task) (*process, error) {
	p := &process{command: exec.CommandContext(ctx, command[0], append(command[1:len(command):len(command)], t.String())...)}
	p.command.Stderr = &p.errors
	var err error
	if p.in, err = p.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewScanner(out)
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("%s does not start: %w", command[0], err)
	}
	if err := p.read(&p.hello); err != nil {
		p.end()
		return nil, err
	}
	return p, nil
}

// work has the work done so many times.
func (p *process) work(times int) (d did, err error) {
	if _, err = fmt.Fprintln(p.in, times); err == nil {
		err = p.read(&d)
	}
	if err == nil && (len(d.Seconds) != times || len(d.Results) != times) {
		err = fmt.Errorf("%s says %d times and %d results, want %d", p.command.Path, len(d.Seconds), len(d.Results), times)
	}
	return d, err
}

// read takes the next line that is JSON; libraries may print others.
func (p *process) read(into any) error {
	for p.out.Scan() {
		if line := p.out.Bytes(); bytes.HasPrefix(line, []byte("{")) {
			return json.Unmarshal(line, into)
		}
	}
	_ = p.command.Wait() // that it failed is known
	lines := strings.Split(strings.TrimSpace(p.errors.String()), "\n")
	return fmt.Errorf("%s failed: %s", p.command.Path, lines[len(lines)-1])
}

// end lets the process go.
func (p *process) end() {
	_ = p.in.Close() // it ends at the end of its input
	_ = p.command.Wait()
}
