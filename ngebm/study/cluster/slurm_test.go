package cluster_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ngebm/data/testdisk"
)

// slurm is a cluster of this machine alone, for one test.
type slurm struct {
	dir string
	env []string
}

// startSlurm starts munge, slurmctld and slurmd with a configuration in a folder of the test.
func startSlurm(t *testing.T) *slurm {
	t.Helper()
	for _, program := range []string{"munged", "mungekey", "slurmctld", "slurmd", "sbatch", "scontrol"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("SKIPPED: there is no %s; on Debian: apt-get install slurm-wlm munge", program)
		}
	}
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: slurmd wants to be root")
	}
	dir := t.TempDir()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	s := &slurm{dir: dir, env: append(os.Environ(), "SLURM_CONF="+filepath.Join(dir, "slurm.conf"))}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"state", "spool", "munge"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	socket := filepath.Join(dir, "munge", "socket")
	write("slurm.conf", strings.NewReplacer("DIR", dir, "HOST", host, "SOCKET", socket,
		"PORT1", freePort(t), "PORT2", freePort(t)).Replace(`
ClusterName=test
SlurmctldHost=HOST(127.0.0.1)
SlurmUser=root
SlurmctldPort=PORT1
SlurmdPort=PORT2
AuthType=auth/munge
AuthInfo=socket=SOCKET,cred_expire=5
CredType=cred/munge
StateSaveLocation=DIR/state
SlurmdSpoolDir=DIR/spool
SlurmctldPidFile=DIR/slurmctld.pid
SlurmdPidFile=DIR/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=100000
SlurmdParameters=config_overrides
KillWait=5
ReturnToService=2
NodeName=HOST NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes=HOST Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
`))
	s.do(t, "mungekey", "--create", "--keyfile="+filepath.Join(dir, "munge", "key"))
	s.start(t, "munged", "--foreground", "--force", "--key-file="+filepath.Join(dir, "munge", "key"), "--socket="+socket,
		"--pid-file="+filepath.Join(dir, "munge", "pid"), "--log-file="+filepath.Join(dir, "munge", "log"), "--seed-file="+filepath.Join(dir, "munge", "seed"))
	s.until(t, "munge answers", func() bool { _, err := os.Stat(socket); return err == nil })
	s.start(t, "slurmctld", "-D", "-L", filepath.Join(dir, "slurmctld.log"))
	s.until(t, "slurmctld answers", func() bool { _, err := s.try("scontrol", "ping"); return err == nil })
	s.start(t, "slurmd", "-D", "-N", host, "-L", filepath.Join(dir, "slurmd.log"))
	s.until(t, "the node is idle", func() bool { out, _ := s.try("sinfo", "-h", "-o", "%T"); return strings.TrimSpace(out) == "idle" })
	return s
}

// freePort returns a port that no program listens to.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}

// start runs a program until the test ends.
func (s *slurm) start(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = s.env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
}

// try runs a command in the cluster's folder, and returns what it prints.
func (s *slurm) try(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); ok {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	return string(out), err
}

// do is try for a command that must work.
func (s *slurm) do(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := s.try(name, args...)
	if err != nil {
		s.logs(t)
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// until waits for a condition, for two minutes at most.
func (s *slurm) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range 1200 {
		if holds() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.logs(t)
	t.Fatalf("after two minutes it is not so that %s", what)
}

// logs shows the ends of all logs.
func (s *slurm) logs(t *testing.T) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(s.dir, "*.log"))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		t.Logf("%s:\n%s", filepath.Base(file), text[max(0, len(text)-1500):])
	}
}

// tables are what ngebm experiment and ngebm merge print, without the costs, which differ
// from one process to another.
func tables(printed string) string {
	text, _, _ := strings.Cut(printed, "\ncost  ")
	return text
}

// Twelve runs as an array of four tasks, of which one is killed and requeued, give the
// tables of one process.
func TestSlurmArrayGivesTheTablesOfOneProcess(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it starts Slurm")
	}
	testdisk.Inputs(t, ".")
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-ldflags=-w", "-o", filepath.Join(bin, "ngebm"), "ngebm/ngebm/cmd/ngebm").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	experiment := strings.Fields("-preset digits-few -model mlp-8 -set epochs=100 -methods cross-entropy,label-smoothing,ng-ebm-paper -seeds 1,2,3,4 " +
		"-test 100 -ood-examples 30 -attack-examples 15 -ensemble-examples 15 -linf 8 -l2 64 -ood rotated -bootstrap 10 -save-every 1ms")
	// What follows is skipped where there is no Slurm; that these flags are right is not.
	dry := exec.Command(filepath.Join(bin, "ngebm"), append([]string{"experiment", "-runs", "runs", "-dry-run", "-part", "2/4"}, experiment...)...)
	dry.Dir = t.TempDir()
	if out, err := dry.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s := startSlurm(t)
	s.env = append(s.env, "PATH="+bin+":"+os.Getenv("PATH"), "NGEBM_DEVICE=go")
	script, err := filepath.Abs("experiment.sbatch")
	if err != nil {
		t.Fatal(err)
	}

	id := strings.TrimSpace(s.do(t, "sbatch", append([]string{"--parsable", "--array=1-4", script}, experiment...)...))
	s.until(t, "the second task has done one of its runs", func() bool {
		_, err := os.Stat(filepath.Join(s.dir, "results-part-2.json"))
		return err == nil
	})
	s.do(t, "scontrol", "requeue", id+"_2")
	s.until(t, "all tasks are done", func() bool {
		out, err := s.try("squeue", "-h", "-o", "%i %T")
		return err == nil && strings.TrimSpace(out) == ""
	})
	if info := s.do(t, "scontrol", "show", "job", id+"_2"); !strings.Contains(info, "JobState=COMPLETED") || !strings.Contains(info, "Restarts=1") {
		s.logs(t)
		t.Fatalf("the task that was requeued:\n%s", info)
	}
	merged := s.do(t, filepath.Join(bin, "ngebm"), "merge", "-o", "merged.json", "results-part-1.json", "results-part-2.json", "results-part-3.json", "results-part-4.json")
	alone := s.do(t, filepath.Join(bin, "ngebm"), append([]string{"experiment", "-runs", "alone", "-o", "alone.json"}, experiment...)...)
	if tables(merged) == "" || tables(merged) != tables(alone) {
		t.Errorf("the merged tables are\n%s\nand those of one process\n%s", tables(merged), tables(alone))
	}
}
