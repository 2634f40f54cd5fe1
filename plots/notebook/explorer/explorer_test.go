package explorer

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat"

	"ngebm/data/progress"
	"ngebm/ngebm/device"
)

var start = Settings{Alpha: 1, Beta: .1, Gamma: .1, Noise: .1, Epochs: 5}

func TestSettingsErrors(t *testing.T) {
	for says, change := range map[string]func(*Settings){
		"alpha is -1: choose 0 to 100":       func(s *Settings) { s.Alpha = -1 },
		"beta is NaN":                        func(s *Settings) { s.Beta = math.NaN() },
		"gamma is +Inf":                      func(s *Settings) { s.Gamma = math.Inf(1) },
		"alpha, beta and gamma are all 0":    func(s *Settings) { s.Alpha, s.Beta, s.Gamma = 0, 0, 0 },
		"noise is 0.05: choose 0.1 to 1":     func(s *Settings) { s.Noise = .05 },
		"epochs is 0: choose 1 to 2000":      func(s *Settings) { s.Epochs = 0 },
		"epochs is 100000: choose 1 to 2000": func(s *Settings) { s.Epochs = 100000 },
	} {
		s := start
		change(&s)
		if _, err := Explore(t.Context(), nil, Options{Start: s}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, not %q", err, says)
		}
	}
}

// A slider starts at what the cell's first line says, whatever that is.
func TestSliders(t *testing.T) {
	s := start
	s.Beta, s.Epochs = .02, 7
	for _, k := range s.sliders() {
		if i := k.Index(); i < 0 || i > k.Last() || !slices.IsSorted(k.Stops) || k.Stops[i] != k.Value {
			t.Errorf("%s starts at stop %d of %v, which is to be %v", k.Name, i, k.Stops, k.Value)
		}
		for _, v := range k.Stops {
			values := map[string]float64{}
			for _, other := range s.sliders() {
				values[other.Name] = other.Value
			}
			values[k.Name] = v
			if _, err := settingsOf(values); err != nil {
				t.Errorf("%s at %v: %v", k.Name, v, err)
			}
		}
	}
}

func TestParseMessage(t *testing.T) {
	const values = `"values":{"alpha":1,"beta":0.1,"gamma":0.1,"noise":0.1,"epochs":40}`
	m, err := parseMessage(`{"number":7,"presses":2,"pressed":"train",` + values + `}`)
	if want := (Settings{1, .1, .1, .1, 40}); err != nil || m.Number != 7 || m.Presses != 2 || m.settings != want {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := parseMessage(`{"number":1,"presses":0,"pressed":"",` + values + `}`); err != nil {
		t.Error(err)
	}
	for text, says := range map[string]string{
		`train`: "an invalid message",
		`{"number":1,"presses":1,"pressed":"shutdown",` + values + `}`: `no button "shutdown"`,
		`{"number":1,"presses":0,"pressed":"stop",` + values + `}`:     "counts 0 presses",
		`{"number":0,"presses":1,"pressed":"stop",` + values + `}`:     "message 0",
	} {
		if _, err := parseMessage(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, not %q", text, err, says)
		}
	}
	for values, says := range map[string]string{
		`{}`:                                   "epochs is 0",
		`{"alpha":1,"noise":0.1,"epochs":1.5}`: "epochs is 1.5",
		`{"alpha":1,"noise":0.1,"epochs":1e9}`: "epochs is 1e+09",
		`{"alpha":0,"noise":0.1,"epochs":9}`:   "are all 0",
	} {
		m, err := parseMessage(`{"number":1,"presses":1,"pressed":"stop","values":` + values + `}`)
		if err != nil || m.Pressed != pressedStop || m.invalid == nil || !strings.Contains(m.invalid.Error(), says) {
			t.Errorf("%s: %v, %v, not %q", values, m.invalid, err, says)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add(`{"number":7,"presses":2,"pressed":"train","values":{"alpha":1,"beta":0.1,"gamma":0.1,"noise":0.1,"epochs":40}}`)
	f.Add(`{"number":-7,"presses":1e400}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseMessage(text)
		if err == nil && (m.invalid == nil && m.settings.check() != nil || m.Number < 1 || m.Presses < 0) {
			t.Errorf("%q is taken for %+v", text, m)
		}
	})
}

// The panel's script gets what it needs as JavaScript, and nothing breaks out of it.
func TestPanel(t *testing.T) {
	sliders := start.sliders()
	sliders[0].About = `</script><b title="x">`
	html, err := panelHTML("explorer-1", "/explorer/1", "ab-12", sliders)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`id = "explorer-1", address = "/explorer/1", kernel = "ab-12"`, `"Stops":[0,0.001,`, `type="button" name="stop"`} {
		if !strings.Contains(html, part) {
			t.Errorf("no %q", part)
		}
	}
	if n := strings.Count(html, `type="range"`); n != len(sliders) {
		t.Errorf("%d sliders", n)
	}
	if n := strings.Count(html, "</script>"); n != 1 {
		t.Errorf("the script ends %d times", n)
	}
	_, list, _ := strings.Cut(html, "sliders = ")
	var read []slider
	if err := json.NewDecoder(strings.NewReader(list)).Decode(&read); err != nil || len(read) != len(sliders) || read[0].About != sliders[0].About {
		t.Errorf("the script's list of sliders: %v, %+v", err, read)
	}
}

// More noise moves the points and nothing else.
func TestMoons(t *testing.T) {
	plain, _, err := moons(t.Context(), .1)
	if err != nil {
		t.Fatal(err)
	}
	train, test, err := moons(t.Context(), .5)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(train.Labels, plain.Labels) || train.Checksum == plain.Checksum || test.Checksum == train.Checksum {
		t.Error("labels differ, or sets are the same")
	}
	var moved []float64
	for i, v := range train.Points {
		moved = append(moved, float64(v-plain.Points[i]))
	}
	// In the set's units, 4/3 of those in which the moons' radius is 1.
	if got, want := stat.StdDev(moved, nil), 4./3*math.Sqrt(.5*.5-.1*.1); math.Abs(got-want) > .03*want {
		t.Errorf("points are moved by %.3f, not %.3f", got, want)
	}
}

// Without a notebook there is one training, in a folder that is gone, and one line.
func ExampleExplore() {
	dev, err := device.Open("cpu", progress.Discard{})
	if err != nil {
		panic(err)
	}
	run, err := Explore(context.Background(), dev.Backend, Options{
		Start:  Settings{Alpha: 1, Beta: .1, Gamma: .1, Noise: .1, Epochs: 20},
		Notice: func(line string) { fmt.Println(line) },
	})
	if err != nil {
		panic(err)
	}
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), "ngebm-live-*", filepath.Base(run.Dir)))
	accuracy, err := run.Classifier.Accuracy(context.Background(), run.Test)
	fmt.Println(accuracy > .95, err, len(left))
	picture, err := drawWhileLearning(context.Background(), run)
	fmt.Println(strings.HasPrefix(picture, "<img"), err)
	// Output:
	// The sliders need a notebook that is open in a browser: this is one training with the values of the cell's first line.
	// true <nil> 0
	// true <nil>
}

// To be asked to stop is no error.
func TestOnceInterrupted(t *testing.T) {
	dev, err := device.Open("cpu", progress.Discard{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if run, err := once(ctx, dev.Backend, Options{Start: start}); err != nil || run != nil {
		t.Errorf("%v, %v", run, err)
	}
}
