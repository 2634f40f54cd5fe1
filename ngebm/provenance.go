package ngebm

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data/files"
	"ngebm/data/plain"
	"ngebm/data/progress"
	"ngebm/ngebm/internal/ckpt"
	"ngebm/ngebm/internal/explain"
	"ngebm/ngebm/internal/netgraph"
	"ngebm/ngebm/nets"
)

// A stored run is shown for what was asked only if it is what would be trained now. Its
// hash covers the configuration and the training data. What the hash cannot see is
// compared here: the network's graph, the test set, the code, the device. A difference is
// either computed again or reported in [Run.Notes].

// networkInfo is what config.json says of the network's graph.
type networkInfo struct {
	Sum   string `json:"sum"`   // of its description, see netgraph.Graph
	GoMLX string `json:"gomlx"` // the version whose operations it names
}

// gomlx is the version of GoMLX that this module uses. Descriptions by other versions
// cannot be compared.
const gomlx = "v0.28.8"

// traceNetwork describes the run's network, whose weights are in the store.
func traceNetwork(backend compute.Backend, net nets.Network, store *model.Store, shape []int, classes int) (netgraph.Graph, error) {
	g, err := netgraph.Trace(backend, store, shape, func(x *Node) *Node { return logitsOf(net, store, ckpt.NetworkScope, x, classes) })
	if err != nil {
		return g, fmt.Errorf("ngebm: cannot build %s for examples of shape %v: %w", net, shape, explain.Error(err))
	}
	return g, nil
}

// FeaturesSum identifies what computes the features of a network of a person's own, which the
// run's hash does not cover: the SHA-256 of the graph of its Features and the name of its Head. It
// is empty for a network that its name defines, and for one without features.
func (r *Run) FeaturesSum() (string, error) {
	net, ok := r.Classifier.Network.(nets.Featured)
	if !ok || !isOwn(net) {
		return "", nil
	}
	store := newStore(r.Config.Seed)
	g, err := netgraph.Trace(r.backend, store, r.Classifier.Shape, func(x *Node) *Node {
		return net.Features(store.RootScope().In(ckpt.NetworkScope), x)
	})
	if err != nil {
		return "", fmt.Errorf("ngebm: cannot build the features of %s: %w", net, explain.Error(err))
	}
	sum := sha256.Sum256(fmt.Appendln(nil, g.Sum(), net.Head()))
	return hex.EncodeToString(sum[:]), nil
}

// isOwn reports whether a network is a person's own, which its name does not define.
func isOwn(net nets.Network) bool {
	known, err := nets.Parse(net.String())
	return err != nil || !reflect.DeepEqual(known, net)
}

// ownHash is the hash of a run of a network of a person's own: that of the configuration,
// its graph, by its sum, and its initial weights.
func ownHash(hash, network string, store *model.Store, seed uint64) (string, error) {
	initial, err := netgraph.Initial(store, "/"+ckpt.NetworkScope, int64(seed))
	if err != nil {
		return "", fmt.Errorf("ngebm: the network's %s", explain.Error(err))
	}
	sum := sha256.Sum256(fmt.Appendln(nil, hash, network, initial))
	return hex.EncodeToString(sum[:6]), nil
}

// identify gives the run its hash and its folder. The network of a person's own is part
// of the hash, unless all there is was trained before networks were recorded, or described as now.
func (r *Run) identify(net nets.Network, s Setup) error {
	r.training = r.Train.Checksum
	if s.Outliers != nil {
		r.training += "+" + s.Outliers.Checksum
	}
	r.Hash = r.Config.Hash(r.training)
	r.Dir = filepath.Join(s.Runs, dirName(r.Config, r.Hash))
	if !isOwn(net) {
		return nil
	}
	store := newStore(r.Config.Seed)
	g, err := traceNetwork(r.backend, net, store, r.Train.Shape, len(r.Train.Classes))
	if err != nil {
		return err
	}
	hash, err := ownHash(r.Hash, g.Sum(), store, r.Config.Seed)
	if err != nil {
		return err
	}
	dir := filepath.Join(s.Runs, dirName(r.Config, hash))
	if !s.Fresh && !ckpt.Folder(dir).Has(ckpt.ConfigFile) {
		if g.Former != "" {
			former, err := ownHash(r.Hash, g.Former, store, r.Config.Seed)
			if err != nil {
				return err
			}
			if before := filepath.Join(s.Runs, dirName(r.Config, former)); ckpt.Folder(before).Has(ckpt.ConfigFile) {
				r.Hash, r.Dir = former, before
				return nil
			}
		}
		if info, _, err := readInfo(r.Dir); err == nil && info.Network == nil {
			return nil
		}
	}
	r.Hash, r.Dir = hash, dir
	return nil
}

// sameNetwork compares the network of a stored run with the one that was given. The
// error says where they differ; the note, that they could not be compared.
func (r *Run) sameNetwork(stored *networkInfo) (note string, err error) {
	switch {
	case stored == nil:
		return "its network was not recorded when it was trained, so an edit since then cannot be seen", nil
	case stored.GoMLX != gomlx:
		return fmt.Sprintf("its network was recorded with GoMLX %.60q, this program has %s, so an edit since then cannot be seen", stored.GoMLX, gomlx), nil
	case stored.Sum == r.network.Sum():
		return "", nil
	case r.network.Former != "" && stored.Sum == r.network.Former:
		return "its network was recorded without its weights' own gradients, so an edit of these since then cannot be seen", nil
	}
	what := ckpt.NetworkFile + ", which would say where, does not fit it"
	if text, err := r.folder().ReadFile(ckpt.NetworkFile, maxInfo); err == nil {
		if d := netgraph.Difference(strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), r.network.Lines); d != "" {
			what = d
		}
	}
	return "", fmt.Errorf("ngebm: the run in %q was trained with another network of the name %q: %s; give the network that it was trained with, or train it again with Options.Fresh (-fresh)", r.Dir, r.Config.Net, what)
}

// Computation identifies what computes here with the run's weights: the code ([Source]), the
// libraries, the kind of device and the version of XLA. It is part of the keys of what is stored
// about a run.
func (r *Run) Computation() string {
	name := codeName() + "; " + kindOf(r.backend)
	if plugin := pluginOf(r.backend); plugin != "" {
		name += "; " + plugin
	}
	return name
}

// codeName is what a computation's name begins with: all of it but the device.
func codeName() string { return fmt.Sprintf("source %s; %s", Source(), libraries()) }

// SameCode reports whether a computation, see [Run.Computation], is by this program's code and
// libraries, on whatever device.
func SameCode(computation string) bool { return strings.HasPrefix(computation, codeName()+"; ") }

// kindOf names the kind of device that a backend computes on.
func kindOf(backend compute.Backend) string {
	if xla, ok := backend.(interface{ PluginName() string }); ok {
		name := strings.ToLower(filepath.Base(xla.PluginName()))
		for _, kind := range []string{"cuda", "cpu"} {
			if strings.Contains(name, kind) {
				return "xla:" + kind
			}
		}
	}
	return backend.String()
}

// pluginOf is the version of a backend's XLA plugin; empty where the backend does not say.
func pluginOf(backend compute.Backend) string {
	if xla, ok := backend.(interface{ PluginVersion() string }); ok {
		return xla.PluginVersion()
	}
	return ""
}

// processorOf is the kind of processor that a backend computes on; empty for a GPU.
func processorOf(backend compute.Backend) string {
	if kindOf(backend) == "xla:cuda" {
		return ""
	}
	return Processor()
}

// processorsOf is the number of processors among which XLA may divide a sum, whose parts are rounded;
// 0 for other backends.
func processorsOf(backend compute.Backend) int {
	if kindOf(backend) != "xla:cpu" {
		return 0
	}
	return runtime.NumCPU()
}

// makerOf is what takes steps now.
func makerOf(backend compute.Backend, devices int) Maker {
	return Maker{
		Source: Source(), Libraries: libraries(), Kind: kindOf(backend), Devices: devices,
		Plugin: pluginOf(backend), Processor: processorOf(backend), Processors: processorsOf(backend),
	}
}

// compare notes what a stored run and one that would be trained now could differ in. The
// network is compared with what config.json says.
func (r *Run) compare(devices int) error {
	r.Notes = nil
	info, cfg, err := readInfo(r.Dir)
	if err != nil {
		r.note("its %s cannot be read, so its network cannot be compared", ckpt.ConfigFile)
	} else {
		if cfg.Hash("") != r.Config.Hash("") || info.Hash != r.Hash || !slices.Equal(info.Shape, r.Classifier.Shape) || !slices.Equal(info.Data.Classes, r.Classifier.Classes) {
			r.note("its %s was changed: it does not say what was trained; train it again with Options.Fresh (-fresh), or get the folder from where it was trained", ckpt.ConfigFile)
		}
		what, err := r.sameNetwork(info.Network)
		if err != nil {
			return err
		}
		if what != "" {
			r.note("%s", what)
		}
	}
	c, now := r.Cost, makerOf(r.backend, devices)
	const again = "train it again with Options.Fresh (-fresh) to compare"
	switch {
	case c.Source == "":
		r.note("the code that trained it is not known; %s", again)
	case c.Source != Source():
		r.note("it was trained by other code than this (source %s, now %s); %s", c.Source, Source(), again)
	}
	for _, m := range c.Earlier {
		r.note("its first steps were taken otherwise: %s", m.unlike(c.Maker))
	}
	if c.Libraries != "" && now.Libraries != "" && c.Libraries != now.Libraries {
		r.note("it was trained with %s, and this program has %s", c.Libraries, now.Libraries)
	}
	ofCode := len(r.Notes)
	switch {
	case c.Kind != "" && c.Kind != now.Kind:
		r.note("it was trained on %s, and this is %s", c.Kind, now.Kind)
	case c.Plugin != "" && now.Plugin != "" && c.Plugin != now.Plugin:
		r.note("it was trained with another XLA (%s, now %s)", c.Plugin, now.Plugin)
	}
	if c.Processor != "" && now.Processor != "" && c.Processor != now.Processor {
		r.note("it was trained on %s, and this is %s, which rounds differently", c.Processor, now.Processor)
	}
	if c.Processors != 0 && now.Processors != 0 && c.Processors != now.Processors {
		r.note("it was trained on %s, and this machine has %d, which may round differently", processors(c.Processors), now.Processors)
	}
	if c.Devices != 0 && devices != 0 && c.Devices != devices {
		r.note("it was trained on %d devices, not on %d, which differ by rounding", c.Devices, devices)
	}
	r.ofDevice = slices.Clone(r.Notes[ofCode:])
	return nil
}

// CodeNotes are the Notes that matter where the weights are only read, as for an export: those
// of what computes here (the kind of device, XLA, the processors) are left out.
func (r *Run) CodeNotes() []string {
	return slices.DeleteFunc(slices.Clone(r.Notes), func(note string) bool { return slices.Contains(r.ofDevice, note) })
}

func (r *Run) note(format string, args ...any) {
	r.Notes = append(r.Notes, plain.Text(fmt.Sprintf(format, args...)))
}

// Refresh makes a complete run that was restored ready to be shown: it evaluates a test
// set that is not the one of its training, and reports where the run comes from.
func (r *Run) Refresh(ctx context.Context, reporter progress.Reporter) error {
	if err := r.testAgain(ctx, reporter); err != nil {
		return err
	}
	if v := r.History.Last("validation"); v != nil && v.Checksum != "" && r.Validation != nil && v.Checksum != r.Validation.Checksum {
		r.note("its validation examples were others than this code holds out")
	}
	r.Announce("loaded", reporter)
	return nil
}

// RecordMaker records which code, libraries, devices and kind of machine take the run's next steps,
// in the run's folder, and says in Notes what the steps before were taken by. Call it before the first
// of them. devices is the number that share each step.
func (r *Run) RecordMaker(devices int) error {
	c := &r.Cost
	now := makerOf(r.backend, devices)
	if r.History.Steps() > 0 && !c.Maker.like(now) {
		c.Earlier = append(c.Earlier, c.Maker)
	}
	c.Device, c.Code, c.Machine, c.Maker = files.WithoutFolders(r.backend.Description()), Version(), Machine(), now
	if err := r.folder().WriteJSON(ckpt.CostFile, r.Cost); err != nil || !r.HasCheckpoint() {
		return err
	}
	return r.compare(devices)
}

// like reports whether two makers are one; a plugin or processor that is not known may be any.
func (m Maker) like(other Maker) bool {
	if m.Plugin == "" || other.Plugin == "" {
		m.Plugin = other.Plugin
	}
	if m.Processor == "" || other.Processor == "" {
		m.Processor = other.Processor
	}
	if m.Processors == 0 || other.Processors == 0 {
		m.Processors = other.Processors
	}
	return m == other
}

// unlike says in what one maker differs from another.
func (m Maker) unlike(other Maker) string {
	var parts []string
	add := func(differ bool, text string) {
		if differ {
			parts = append(parts, text)
		}
	}
	add(m.Source != other.Source, "by other code (source "+cmp.Or(m.Source, "unknown")+", then "+other.Source+")")
	add(m.Kind != other.Kind, "on "+cmp.Or(m.Kind, "an unknown device")+", then "+other.Kind)
	add(m.Kind == other.Kind && m.Plugin != "" && other.Plugin != "" && m.Plugin != other.Plugin, "with another XLA ("+m.Plugin+", then "+other.Plugin+")")
	add(m.Processor != "" && other.Processor != "" && m.Processor != other.Processor, "on "+m.Processor+", then "+other.Processor)
	add(m.Processors != 0 && other.Processors != 0 && m.Processors != other.Processors, "on "+processors(m.Processors)+", then "+strconv.Itoa(other.Processors))
	add(m.Devices != other.Devices, fmt.Sprintf("on %d devices, then %d", m.Devices, other.Devices))
	add(m.Libraries != other.Libraries, "with "+cmp.Or(m.Libraries, "unknown libraries")+", then "+cmp.Or(other.Libraries, "unknown ones"))
	return cmp.Or(strings.Join(parts, ", "), "by a program in between")
}

// Announce reports a stored run in one line, with its notes and its warning.
func (r *Run) Announce(what string, reporter progress.Reporter) {
	line := what + " " + filepath.Base(r.Dir) + ": "
	if !r.Cost.Trained.IsZero() {
		line += "trained " + r.Cost.Trained.UTC().Format("2006-01-02 15:04") + " UTC, "
	}
	line += fmt.Sprintf("%d steps", r.History.Steps())
	line += ", code " + cmp.Or(r.Cost.Code, "unknown")
	for _, note := range r.Notes {
		line += "; " + note
	}
	reporter.Report(progress.Report{Task: line, Finished: true, Quiet: len(r.Notes) == 0})
}

// evaluatedAgain is one of them.
type evaluatedAgain struct {
	Checkpoint  string     `json:"checkpoint"` // SHA-256
	Computation string     `json:"source"`     // see Run.Computation; before 2026-12 the source alone
	Evaluation  Evaluation `json:"evaluation"`
}

// otherTestSet is the note of a run that is evaluated again.
const otherTestSet = "the test set is not the one that it was evaluated on when it was trained; the evaluation is of the set as it is now"

// testAgain puts the evaluation of the run's test set into the history of a complete run,
// unless it is there already: the set may be another than that of the training.
func (r *Run) testAgain(ctx context.Context, reporter progress.Reporter) error {
	last := r.History.Last("test")
	if last.Checksum == r.Test.Checksum {
		return nil
	}
	if last.Checksum != "" {
		r.note(otherTestSet)
	}
	checkpoint, err := r.Checksum()
	if err != nil {
		return err
	}
	var stored []evaluatedAgain
	if text, err := r.folder().ReadFile(ckpt.EvaluationsFile, maxInfo); err == nil {
		_ = json.Unmarshal(text, &stored) // what cannot be read is made again
		plain.Values(&stored)
	}
	for _, s := range stored {
		if s.Checkpoint == checkpoint && s.Computation == r.Computation() && s.Evaluation.Checksum == r.Test.Checksum && len(s.Evaluation.Values) == len(r.History.Terms) && s.Evaluation.check(r.History.Terms) == nil {
			*last = s.Evaluation
			return nil
		}
	}
	again, err := r.Evaluate(ctx, r.Test, progress.Examples(reporter, "evaluate "+r.Test.Split+" set", r.Test.Len()))
	if err != nil {
		return err
	}
	*last = again
	stored = append(stored, evaluatedAgain{checkpoint, r.Computation(), again})
	// A folder that cannot be written costs the time of evaluating again.
	_ = r.folder().WriteJSON(ckpt.EvaluationsFile, stored)
	return nil
}
