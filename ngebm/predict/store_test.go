package predict

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"ngebm/ngebm"
	"ngebm/ngebm/conformal"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/internal/testrun"
	"ngebm/ngebm/train"
)

// What no fit writes is refused: a temperature at which probabilities are NaN, and lists that take many
// times the file's size.
func TestForgedPredictors(t *testing.T) {
	const good = `"version":1,"shape":[2],"classes":["a","b"],"sets":{"method":"aps","alpha":0.1,"classes":2,"examples":[9],"thresholds":[0.9]}`
	for name, test := range map[string]struct{ raw, want string }{
		"tiny temperature":  {`{` + good + `,"temperature":5e-324}`, "has the temperature 5e-324"},
		"huge temperature":  {`{` + good + `,"temperature":1e300}`, "has the temperature 1e+300"},
		"scales of one":     {`{` + good + `,"temperature":1,"vector":{"scale":[1],"shift":[0,0]}}`, "vector scaling of 1 and 2 numbers"},
		"a huge scale":      {`{` + good + `,"temperature":1,"vector":{"scale":[1,1e300],"shift":[0,0]}}`, "has 1e+300 in its vector scaling"},
		"many scores":       {`{` + good + `,"temperature":1,"scores":[` + strings.Repeat("{},", 1<<20) + `{}]}`, "there are more than"},
		"scores are a text": {`{` + good + `,"temperature":1,"scores":"px"}`, "the scores are no list"},
		"scores are null":   {`{` + good + `,"temperature":1,"scores":null}`, "the scores are no list"},
		"many detectors":    {`{` + good + `,"temperature":1,"detectors":[` + strings.Repeat("{},", 1<<20) + `{}]}`, "there are more than 5 detectors"},
		"a detector less":   {`{` + good + `,"temperature":1,"scores":[{"score":"MDS","usual":[1]}]}`, `its scores need ["MDS"]`},
		"a detector more":   {`{` + good + `,"temperature":1,"detectors":[{"detector":"MDS"}]}`, `has the detectors ["MDS"]`},
	} {
		var s fitted
		err := json.Unmarshal([]byte(test.raw), &s)
		if err == nil {
			err = s.check()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: the error is %v, want one that says %q", name, err, test.want)
		}
	}
}

// A reason names two numbers that differ, and percentages are rounded.
func TestTextsOfNumbers(t *testing.T) {
	p := &Predictor{fitted: fitted{
		Run: "0123456789ab", Examples: 99, Classes: []string{"a", "b"}, Temperature: 1, FalseAlarms: .07,
		Sets:   conformal.Sets{Options: conformal.Options{Method: conformal.LAC, Alpha: .07}, Classes: 2, Examples: []int{99}, Thresholds: []float64{.9}},
		Scores: []scoreThreshold{{Score: "px", Threshold: 14.6611, Usual: []float64{14, 15}}, {Score: InputScore, Threshold: -2.655, Usual: []float64{-3, -2}}},
		Risk:   &conformal.Risk{Level: .07, Delta: .07, Threshold: 1 - 1e-7},
	}}
	for _, c := range []struct {
		logits, scores []float64
		want           string
	}{
		{[]float64{14, 0}, []float64{14.6607, -457.1}, "energy (px) is 14.6607, below 14.6611; input score is -457.1, below -2.655; confidence is 0.999999, below 1 for a risk of 0.07"},
		{[]float64{40, 0}, []float64{15, math.Nextafter(-2.655, -3)}, "input score is -2.6550000000000002, below -2.6549999999999998"},
		{[]float64{40, 0}, []float64{14.6611, -2.655}, ""},
	} {
		if d := p.decide(c.logits, c.scores, 0); d.Why != c.want || d.Refused != (c.want != "") {
			t.Errorf("%v, %v: %q, want %q", c.logits, c.scores, d.Why, c.want)
		}
	}
	text := p.String()
	for _, want := range []string{"predictor of run 0123456789ab, from 99 validation examples", "the right class is in 93 % of them", "at most 7 % of usual inputs, 3.5 % for each", "confidence below 0.9999999: then at most 7 % of the answers are wrong, with confidence 0.93;"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

// A predictor that other code fitted is marked, and so is one of older programs, which do not say.
func TestNotes(t *testing.T) {
	backend := testdevice.Open(t, "go")
	cfg := ngebm.DefaultConfig("moons:400", "mlp-8")
	cfg.Epochs, cfg.Batch, cfg.LearningRate, cfg.Validation = 5, 50, 1e-2, 100
	run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	p, err := Fit(t.Context(), run, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for computation, want := range map[string]string{
		run.Computation(): "",
		strings.Replace(run.Computation(), ngebm.Source(), "0123456789ab", 1): "fitted otherwise (by source 0123456789ab; ",
		"": "what fitted the predictor is not known but for its code, " + p.Code + "; fit it again (ngebm predict -refit) to compare",
	} {
		p.Computation = computation
		if err := p.Save(); err != nil {
			t.Fatal(err)
		}
		stored, err := Open(run)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(stored.Notes, "\n"); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("the notes of a predictor by %q are %q, want %q", computation, got, want)
		}
		stored.Close()
	}

	// A run without a seal, as older programs wrote it: its warning is among the notes.
	testrun.Unseal(t, run.Dir)
	if p, err = Fit(t.Context(), run, Options{}); err == nil {
		err = p.Save()
	}
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(t.Context(), backend, run.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.Close()
	if got := strings.Join(loaded.Notes, "\n"); !strings.Contains(got, "no checksum covers the class names") {
		t.Errorf("the notes of a run without a seal are %q", got)
	}
}

// A stored predictor may come from anyone: what is read without an error can decide.
func FuzzStored(f *testing.F) {
	good := fitted{
		Version: version, Run: "0123456789ab", Shape: []int{2}, Classes: []string{"a", "b"}, Examples: 9, Temperature: 1,
		Sets:   conformal.Sets{Options: conformal.Options{Method: conformal.APS, Alpha: .1}, Classes: 2, Examples: []int{9}, Thresholds: []float64{.9}},
		Scores: []scoreThreshold{{Score: "px", Threshold: 1, Usual: []float64{1, 2}}, {Score: InputScore, Usual: []float64{-1}}},
		Input:  &inputStats{Mean: []float32{0, 0}, Deviation: []float32{1, 1}},
		Risk:   &conformal.Risk{Level: .1, Delta: .1, Threshold: .5},
	}
	for _, change := range []func(s *fitted){
		func(*fitted) {},
		func(s *fitted) { s.Temperature = 0 },
		func(s *fitted) { s.Shape = []int{1 << 40, 1 << 40} },
		func(s *fitted) { s.Input = nil },
		func(s *fitted) { s.Scores = []scoreThreshold{{Score: "px"}} },
		func(s *fitted) { s.Sets.PerClass = true },
		func(s *fitted) { s.Vector = &vectorScaling{[]float64{1, 2}, []float64{.5, 0}} },
		func(s *fitted) {
			s.Scores = append(s.Scores, scoreThreshold{Score: "ReAct", Usual: []float64{1}})
			s.Detectors = storedDetectors{{Detector: "ReAct", Scale: 2}}
		},
	} {
		s := good
		change(&s)
		b, err := json.Marshal(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var s fitted
		if json.Unmarshal(raw, &s) != nil {
			return
		}
		seal, err := s.seal() // a forger can compute it
		if err != nil {
			return
		}
		b, err := json.Marshal(sealed{s, seal})
		if err != nil {
			t.Fatal(err)
		}
		read, err := parse(b)
		if err != nil {
			return
		}
		p, logits := &Predictor{fitted: read}, make([]float64, len(read.Classes))
		p.decide(logits, make([]float64, len(read.Scores)), .5)
		_ = p.String()
		if size := len(logits); size == 0 {
			t.Errorf("a predictor without classes was read")
		}
	})
}
