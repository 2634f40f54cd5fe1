// Package lab serves the notebooks in JupyterLab, on this machine only.
package lab

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"ngebm/notebooks/internal/digest"
	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/printable"
	"ngebm/notebooks/internal/proc"
	"ngebm/notebooks/internal/setup"
	"ngebm/notebooks/internal/tempdir"
)

// Script starts JupyterLab; see there for how it ends.
//
//go:embed lab.py
var Script string

// StartNotebook is what a first visitor sees, if it is there.
const StartNotebook = "00_start_here.ipynb"

// StartDeadline is how long the server may take to answer.
const StartDeadline = 90 * time.Second

// Open serves the notebooks folder on this machine until ctx ends. Port 0
// stands for Jupyter's usual port, or any free one if that is taken.
func Open(ctx context.Context, p *setup.Workspace, tools *setup.Tools, port int, browser bool, d *display.Display) error {
	port, err := ChoosePort(port, d)
	if err != nil {
		return err
	}
	settings := filepath.Join(p.Cache, "lab")
	if err := writeSettings(settings); err != nil {
		return err
	}
	runtime := filepath.Join(settings, "runtime")
	token := rand.Text()
	log, err := tempdir.CreateFile(filepath.Join(settings, fmt.Sprintf("server-%d.log", port)))
	if err != nil {
		return err
	}
	defer log.Close()
	temp, release, err := tempdir.Folder("lab")
	if err != nil {
		return err
	}
	defer release()
	gopls, off := tools.Gopls, checkCompletion(temp)
	if off != nil {
		gopls = ""
	}

	cmd := proc.Command(ctx, tools.Python, append([]string{"-c", Script}, Arguments(p, port)...)...)
	cmd.Dir = p.Notebooks
	cmd.Env = append(setup.PythonEnv(),
		"JUPYTER_CONFIG_DIR="+settings, // so that nobody's own settings are read or written
		"JUPYTER_DATA_DIR="+filepath.Join(settings, "data"),
		"JUPYTER_PATH="+filepath.Join(tools.Kernel, "jupyter"), // where the kernel is described
		"JUPYTER_RUNTIME_DIR="+runtime,
		"JUPYTERLAB_WORKSPACES_DIR="+TabsFolder(p),
		"JUPYTER_TOKEN="+token, // not an argument: those can be read by everyone on the machine
		setup.GoplsVariable+"="+gopls,
		setup.ProjectVariable+"="+p.Root, // for notebooks that links lead to
		"TMPDIR="+temp,                   // where kernels keep their files: gone with the server, those of killed ones too
	)
	cmd.Stdout, cmd.Stderr = log, log
	leash, err := cmd.StdinPipe() // closed with this process, whatever ends it
	if err != nil {
		return err
	}
	defer leash.Close()
	d.Begin("JupyterLab")
	if err := cmd.Start(); err != nil {
		d.Done("failed")
		return fmt.Errorf("cannot start JupyterLab: %w", err)
	}
	server := &server{cmd: cmd, log: log.Name(), ended: make(chan struct{})}
	go func() {
		server.err = cmd.Wait()
		close(server.ended)
	}()
	address := fmt.Sprintf("http://127.0.0.1:%d/lab%s?token=%s", port, startPage(p), token)
	if err := server.awaitReady(ctx, port, token); err != nil {
		d.Done("failed")
		server.end()
		return err
	}
	d.Done("ready")
	d.Say("\nOpen %s", address)
	d.Say("Ctrl-C here stops JupyterLab and its kernels.\n")
	if browser {
		if err := openBrowser(tools, filepath.Join(runtime, fmt.Sprintf("jpserver-%d-open.html", cmd.Process.Pid)), log); err != nil {
			d.Say("No browser was opened (%v): open the address above.", err)
		}
	}
	completion := prepareCompletion(ctx, p, tools, off, d)
	select {
	case <-ctx.Done():
		d.Say("Stopping JupyterLab …")
	case <-server.ended:
	}
	server.end()
	<-completion
	if ctx.Err() == nil {
		return fmt.Errorf("JupyterLab ended by itself (%v); its log is %s", server.err, server.log)
	}
	return nil
}

// openBrowser opens Jupyter's page that leads on to the notebooks in the person's own browser:
// with the environment that this program has, not with the server's, and without an end
// when the server ends, for there may be other pages in it. The address itself, which holds the
// token, is no argument.
func openBrowser(tools *setup.Tools, page string, log *os.File) error {
	// -I: no module of whatever folder or variables lead to.
	cmd := proc.Detached(tools.Python, "-I", "-m", "webbrowser", "-t", (&url.URL{Scheme: "file", Path: page}).String())
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	go cmd.Wait() // the browser itself may be its child, and last
	return nil
}

// completionSocket is where a kernel's gopls listens, below the folder that the kernel is given for
// temporary files: in GoNB's folder in that of setup/kernel, whose number may be shorter.
const completionSocket = "k4294967295/gonb_12345678/gopls_socket"

// checkCompletion returns an error if gopls cannot listen, because the folder for temporary files
// is too long for the system.
func checkCompletion(temp string) error {
	most := len(syscall.RawSockaddrUnix{}.Path) - 1 // a zero follows
	if long := len(filepath.Join(temp, completionSocket)) - most; long > 0 {
		return fmt.Errorf("the path of the folder %q is too long for a socket in it, by %d bytes; set XDG_CACHE_HOME (on macOS HOME) to a folder with a shorter one", temp, long)
	}
	return nil
}

// prepareCompletion builds gopls next to the running server, at low priority, if
// it is missing: kernels work without it, those started later have completion. It only reports
// what keeps completion off.
func prepareCompletion(ctx context.Context, p *setup.Workspace, tools *setup.Tools, off error, d *display.Display) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if off != nil {
			d.Say("Code completion is off: %v.", off)
			return
		}
		if _, err := os.Stat(tools.Gopls); err == nil {
			return
		}
		if err := setup.Completion(ctx, p, tools, d); err != nil && ctx.Err() == nil {
			d.Say("%v\nNotebooks work without it; only code completion is missing.", err)
		} else if err == nil {
			d.Say("Kernels started from now on complete code.")
		}
	}()
	return ended
}

// Arguments are JupyterLab's settings for this project: on this machine only,
// with the Go kernel and no other, and without news or offers of updates.
func Arguments(p *setup.Workspace, port int) []string {
	args := []string{
		"--ServerApp.ip=127.0.0.1",
		"--ServerApp.port=" + strconv.Itoa(port),
		"--ServerApp.port_retries=0",
		"--ServerApp.root_dir=" + p.Notebooks,
		"--ServerApp.open_browser=False", // openBrowser does
		"--LabApp.default_url=/lab" + startPage(p),
		"--LabApp.news_url=None",
		"--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
		"--LabApp.extension_manager=readonly",
		"--ContentsManager.pre_save_hook=__main__.keep_language",
		"--KernelSpecManager.ensure_native_kernel=False",
		"--KernelSpecManager.allowed_kernelspecs=gonb",
		"--MultiKernelManager.default_kernel_name=gonb",
	}
	// What is in the folder next to notebooks is for those who write them.
	for _, hidden := range []string{"*.go", "internal", "nb", "go.mod", "go.sum", "go.work*", "__pycache__"} {
		args = append(args, "--ContentsManager.hide_globs="+hidden)
	}
	if os.Getuid() == 0 {
		args = append(args, "--ServerApp.allow_root=True")
	}
	return args
}

// TabsFolder is where JupyterLab keeps which tabs were open: separately for each repository, so
// that a fresh clone does not open the notebooks of another and start their kernels.
func TabsFolder(p *setup.Workspace) string {
	return filepath.Join(p.Cache, "lab", "workspaces", digest.Of(p.Root))
}

// startPage is the path below /lab that opens the first notebook.
func startPage(p *setup.Workspace) string {
	if _, err := os.Stat(filepath.Join(p.Notebooks, StartNotebook)); err != nil {
		return ""
	}
	return "/tree/" + StartNotebook
}

// ChoosePort checks that a port is available before JupyterLab is started on it.
func ChoosePort(wanted int, d *display.Display) (int, error) {
	const usual = 8888
	try := wanted
	if try == 0 {
		try = usual
	}
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", try))
	if err == nil {
		return try, l.Close()
	}
	if wanted != 0 {
		return 0, fmt.Errorf("port %d cannot be used (%w): choose another with -port, or leave it out for any free one", wanted, err)
	}
	if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return 0, fmt.Errorf("no free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	d.Say("Port %d is taken, by another JupyterLab perhaps: using %d.", usual, port)
	return port, l.Close()
}

// writeSettings writes what JupyterLab starts from where a person has not
// changed it. What a person does change is kept next to it.
func writeSettings(folder string) error {
	overrides := map[string]any{
		"@jupyterlab/apputils-extension:notification": map[string]any{"fetchNews": "false", "checkForUpdates": false},
	}
	text, err := json.MarshalIndent(overrides, "", "  ")
	if err != nil {
		return err
	}
	folder = filepath.Join(folder, "labconfig")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "default_setting_overrides.json"), text, 0o644)
}

// server is a JupyterLab that runs.
type server struct {
	cmd   *exec.Cmd
	log   string
	ended chan struct{} // closed when it has ended, then err is set
	err   error
}

// awaitReady waits until the server answers to the token.
func (s *server) awaitReady(ctx context.Context, port int, token string) error {
	ctx, cancel := context.WithTimeout(ctx, StartDeadline)
	defer cancel()
	status := fmt.Sprintf("http://127.0.0.1:%d/api/status?token=%s", port, token)
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, status, nil)
		if err != nil {
			return err
		}
		if answer, err := http.DefaultClient.Do(request); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-s.ended:
			return fmt.Errorf("JupyterLab did not start (%v):\n%s", s.err, tailOf(s.log))
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return ctx.Err()
			}
			return fmt.Errorf("JupyterLab did not answer within %v:\n%s", StartDeadline, tailOf(s.log))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// end stops the server and all it has started. Asked to end, it ends its kernels
// in good order; the programs of their cells are among what is killed after.
func (s *server) end() {
	started := proc.Family()
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(proc.Grace):
	}
	for _, pid := range started {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	<-s.ended
}

// tailOf returns the end of a log.
func tailOf(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	var tail printable.Tail
	tail.Write(text)
	return tail.String()
}
