package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"ngebm/data"
	"ngebm/data/plain"
	"ngebm/ngebm"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/predict"
	"ngebm/ngebm/serve"
)

const serveAbout = `Answer HTTP requests with the decisions of a trained run: a class with its probability, a set of classes, or
a refusal. The predictor next to the run is used; without one, the default is fitted on the run's validation
split and stored, as ngebm predict does.

  POST /predict   an image file, or form-data with several: scaled and cropped as in training; or JSON,
                  {"inputs": [[…], …]}: numbers in the network's units (pixels in [-1,1], flat), or, for a table,
                  {"rows": [{"column": value, …}, …]}
  GET /healthz    200 while requests are taken, 503 once the service is stopping
  GET /metrics    Prometheus's text format

Requests of many clients are computed together. The service listens on this machine only, and has neither
authentication nor encryption: put a proxy in front of it that has both. SIGTERM and Ctrl-C stop it after all
accepted requests are answered; a second one ends the program at once. Errors are logged, as JSON, to the
standard error.`

// serveFlags are the flags of the command.
type serveFlags struct {
	address, fit, hosts, device, plugin string
	public, log                         bool
	batch                               int
	delay, timeout                      time.Duration
}

func (f *serveFlags) register(fs *flag.FlagSet) {
	fs.StringVar(&f.address, "addr", "127.0.0.1:8080", "`address` to listen on; port 0 chooses a free one")
	fs.BoolVar(&f.public, "public", false, "allow an address that other machines can reach")
	fs.StringVar(&f.hosts, "hosts", "", "`names`, separated by commas, that the Host header may have besides localhost and that of -addr: those that a proxy passes on; with -public any is allowed")
	fs.StringVar(&f.fit, "image-fit", "", "`how` images of another size are treated: exact (refuse), crop or stretch (default: as for the training set)")
	fs.IntVar(&f.batch, "batch", 128, "largest number of inputs computed together, and of one request")
	fs.DurationVar(&f.delay, "delay", 0, "how long an input waits for others; with 0 they gather while a batch is computed, and shortly after it")
	fs.DurationVar(&f.timeout, "timeout", 30*time.Second, "how long a request may take")
	fs.BoolVar(&f.log, "log", false, "log each request")
	fs.StringVar(&f.device, "device", "", deviceUsage)
	fs.StringVar(&f.plugin, "plugin", "", pluginUsage)
}

func serveRun(ctx context.Context, args []string, stdout io.Writer) error {
	var f serveFlags
	fs := flagSet("serve", serveAbout, "ngebm serve runs/digits-0123456789ab")
	f.register(fs)
	dirs, err := parseAmong(fs, args)
	if err != nil {
		return err
	}
	if len(dirs) != 1 {
		return fmt.Errorf("ngebm serve: %d folders of runs are given (%q); give one, as in ngebm serve runs/digits-0123456789ab", len(dirs), dirs)
	}
	if err := f.checkAddress(); err != nil {
		return err
	}
	if f.batch < 1 || f.timeout <= 0 {
		return fmt.Errorf("ngebm serve: -batch is %d and -timeout %v; give 1 or more inputs, and a time above 0", f.batch, f.timeout)
	}
	for _, host := range splitList(f.hosts) {
		if strings.ContainsAny(host, "/[] ") || strings.Count(host, ":") == 1 {
			return fmt.Errorf("ngebm serve: -hosts holds %q; give names without scheme, port and brackets, as in models.example.org", host)
		}
	}
	config := configFlags{device: f.device, plugin: f.plugin, devices: 1}
	dev, options, err := config.open(ctx)
	if err != nil {
		return err
	}
	d, err := openPredictor(ctx, dev.Backend, dirs[0], "", predict.Options{Progress: options.Progress})
	if err != nil {
		return err
	}
	if d.fresh {
		fmt.Fprintln(os.Stderr, d.predictor)
	}
	if err := f.serve(ctx, d, stdout); err != nil {
		return err // without Close, which would wait for a prediction that does not end
	}
	d.Close()
	return nil
}

// serve listens once everything is compiled.
func (f *serveFlags) serve(ctx context.Context, d *decider, stdout io.Writer) error {
	level := slog.LevelWarn
	if f.log {
		level = slog.LevelInfo
	}
	o := serve.Options{
		Fit: data.Fit(f.fit), MaxBatch: f.batch, Delay: f.delay, Timeout: f.timeout,
		Hosts:  f.knownHosts(),
		Logger: slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	}
	h, err := serve.ForRun(d.run, d.predictor, o)
	if err != nil {
		return err
	}
	if err := h.Warm(ctx); err != nil {
		return err
	}
	l, err := net.Listen("tcp", f.address)
	if err != nil {
		return fmt.Errorf("ngebm serve: %w; choose another address with -addr", err)
	}
	announce(stdout, d.run, h.Options(), "http://"+l.Addr().String())
	stop := context.AfterFunc(ctx, func() { fmt.Fprintln(os.Stderr, "stopping: accepted requests are answered first") })
	defer stop()
	return serve.Serve(ctx, l, h)
}

// knownHosts are the names that the Host header may have, that of -addr among them; nil for any.
func (f *serveFlags) knownHosts() []string {
	if f.public {
		return nil
	}
	known := []string{"localhost", "127.0.0.1", "::1"}
	if host, _, err := net.SplitHostPort(f.address); err == nil && !slices.Contains(known, host) {
		known = append(known, host)
	}
	return append(known, splitList(strings.ToLower(f.hosts))...)
}

// announce says what is served where, with a command that tries it.
func announce(w io.Writer, run *ngebm.Run, o serve.Options, address string) {
	var takes, body string
	size := nets.Size(o.Shape)
	zeros := strings.TrimSuffix(strings.Repeat("0,", min(size, 64)), ",")
	if size > 64 {
		zeros = fmt.Sprintf("%d numbers, …", size)
	}
	switch {
	case o.Encoder != nil:
		column, err := json.Marshal(o.Encoder.Columns[0].Name)
		if err != nil {
			panic(err) // text
		}
		takes, body = "rows of a table", fmt.Sprintf(`{"rows": [{%s: …, …}]}`, column)
	case o.Fit != "":
		takes = fmt.Sprintf("images, %dx%dx%d, fit %s", o.Shape[0], o.Shape[1], o.Shape[2], o.Fit)
	default:
		takes, body = fmt.Sprintf("numbers, shape %v", o.Shape), `{"inputs": [[`+zeros+`]]}`
	}
	try := "--data-binary @image.png"
	if body != "" {
		try = "-H 'Content-Type: application/json' -d " + shellQuote(body)
	}
	fmt.Fprintln(w, plain.Text(fmt.Sprintf("%s: %d classes; %s; on %s", run.Dir, len(run.Classifier.Classes), takes, address)))
	fmt.Fprintf(w, "  curl %s %s/predict\n", try, address)
}

// checkAddress refuses an address that other machines can reach, unless -public allows it.
func (f *serveFlags) checkAddress() error {
	host, _, err := net.SplitHostPort(f.address)
	if err != nil {
		return fmt.Errorf("ngebm serve: -addr %q: %w; give HOST:PORT, as in 127.0.0.1:8080", f.address, err)
	}
	ip, err := netip.ParseAddr(host)
	local := host == "localhost" || err == nil && ip.IsLoopback()
	switch {
	case !local && !f.public:
		return fmt.Errorf("ngebm serve: -addr %q can be reached by other machines, and the service has neither authentication nor encryption; use 127.0.0.1, or allow it with -public", f.address)
	case f.public && f.hosts != "":
		return fmt.Errorf("ngebm serve: -hosts %q: with -public any is allowed; leave out one of them", f.hosts)
	}
	return nil
}
