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

// maxLine is the longest line of a worker: a result has some 40 bytes a repeat.
const maxLine = 1 << 30

// process is a running worker.
type process struct {
	ready
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	errors  bytes.Buffer
}

// start starts a command with a task as its last argument and waits for its [ready] line.
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
	p.out.Buffer(nil, maxLine)
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", command[0], err)
	}
	if err := p.read(&p.ready); err != nil {
		p.end()
		return nil, err
	}
	return p, nil
}

// startPeer starts a peer. Its way to do the work is chosen in another process, so that its peak
// memory is of that way alone.
func startPeer(ctx context.Context, command []string, t task) (*process, error) {
	choosing, err := start(ctx, command, t)
	if err != nil || choosing.Way == "" {
		return choosing, err
	}
	choosing.end()
	t.Way = choosing.Way
	p, err := start(ctx, command, t)
	if err != nil {
		return nil, err
	}
	p.Failed = choosing.Failed
	return p, nil
}

// work repeats the work the given number of times.
func (p *process) work(times int) (r result, err error) {
	if _, err = fmt.Fprintln(p.in, times); err == nil {
		err = p.read(&r)
	}
	if err == nil && (len(r.Seconds) != times || len(r.Results) != times) {
		err = fmt.Errorf("%s reports %d times and %d results, want %d", p.command.Path, len(r.Seconds), len(r.Results), times)
	}
	return r, err
}

// read decodes the next line of JSON; libraries may print other lines.
func (p *process) read(into any) error {
	for p.out.Scan() {
		if line := p.out.Bytes(); bytes.HasPrefix(line, []byte("{")) {
			return json.Unmarshal(line, into)
		}
	}
	_ = p.in.Close() // so that it ends, if it waits for more work
	if p.out.Err() != nil {
		_ = p.command.Process.Kill() // it may wait for its output to be read
	}
	_ = p.command.Wait() // its failure is reported below
	if err := p.out.Err(); err != nil {
		return fmt.Errorf("what %s printed cannot be read: %w", p.command.Path, err)
	}
	lines := strings.Split(strings.TrimSpace(p.errors.String()), "\n")
	return fmt.Errorf("%s failed: %s", p.command.Path, lines[len(lines)-1])
}

// end stops the process.
func (p *process) end() {
	_ = p.in.Close() // the worker exits at the end of its input
	_ = p.command.Wait()
}
