package conformal

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/mathext/prng"

	"ngebm/data/testdisk"
	"ngebm/ngebm/internal/softmax"
	"ngebm/ngebm/internal/testerror"
)

// torchcp.json, see make.py.
type reference struct {
	Seed  uint64
	Cases []struct {
		Options
		Data       string
		Held       int
		Thresholds []float64
		Sets       []string // a digit for each class: 1 is in the set
	}
	Bounds [][4]float64 // k, n, δ, scipy.stats.beta.ppf(1-δ, k+1, n-k)
}

func readReference(t *testing.T) (r reference) {
	t.Helper()
	raw, err := os.ReadFile("testdata/torchcp.json")
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// numbers reads a CSV file of package calibration's tests.
func numbers(t *testing.T, name string) [][]float64 {
	t.Helper()
	testdisk.Inputs(t, "../calibration/testdata")
	raw, err := os.ReadFile("../calibration/testdata/" + name + ".csv")
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows := make([][]float64, len(records))
	for i, record := range records {
		for _, field := range record {
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				t.Fatal(err)
			}
			rows[i] = append(rows[i], v)
		}
	}
	return rows
}

// torchRand is torch.rand on a CPU: 24 bits of each number of the Mersenne twister.
func torchRand(seed uint64) func() float64 {
	source := prng.NewMT19937()
	source.Seed(seed)
	return func() float64 { return float64(source.Uint32()&(1<<24-1)) / (1 << 24) }
}

// TorchCP 1.2.1 (torch 2.15.0) gives the same thresholds and the same sets, element by
// element, with its own random numbers where there are any.
func TestTorchCP(t *testing.T) {
	r := readReference(t)
	for _, c := range r.Cases {
		t.Run(fmt.Sprintf("%s %s α=%g randomized=%v per_class=%v", c.Data, c.Method, c.Alpha, c.Randomized, c.PerClass), func(t *testing.T) {
			var labels []int32
			probabilities := numbers(t, c.Data+"_logits")
			for i, row := range numbers(t, c.Data+"_labels") {
				softmax.Replace(probabilities[i], slices.Max(probabilities[i]))
				labels = append(labels, int32(row[0]))
			}
			var u []float64
			if c.Randomized {
				next := torchRand(r.Seed)
				for range c.Held {
					u = append(u, next())
				}
			}
			s, err := Fit(probabilities[:c.Held], labels[:c.Held], u, c.Options)
			if err != nil {
				t.Fatal(err)
			}
			tolerance := 1e-12
			if c.PerClass {
				tolerance = 1e-7 // these are float32 there
			}
			for k, want := range c.Thresholds {
				if len(c.Thresholds) != len(s.Thresholds) || math.Abs(s.Thresholds[k]-want) > tolerance {
					t.Fatalf("thresholds %v, want %v", s.Thresholds, c.Thresholds)
				}
			}
			next := torchRand(r.Seed + 1)
			for i, want := range c.Sets {
				p := probabilities[c.Held+i]
				got := c.set(s, p, next)
				for k := range p {
					// Where a score equals its threshold, rounding of the softmax decides: so it does
					// for rows of equal probabilities in the second set.
					if tie := math.Abs(s.Scores(p, 0)[k]-s.Thresholds[min(k, len(s.Thresholds)-1)]) < 1e-9; got[k] != want[k] && (!tie || c.Data != "C_n37_K3_edge") {
						t.Errorf("set of row %d (%v): %s, want %s", c.Held+i, p, got, want)
					}
				}
			}
		})
	}
}

// set is the set of a row as digits. TorchCP draws a random number for each class, in order
// of probability, where this package has one for the row.
func (o Options) set(s *Sets, p []float64, next func() float64) string {
	digits := bytes.Repeat([]byte{'0'}, len(p))
	if !o.Randomized {
		for _, k := range s.Of(p, .5) {
			digits[k] = '1'
		}
		return string(digits)
	}
	for _, k := range byProbability(p) {
		if slices.Contains(s.Of(p, next()), k) {
			digits[k] = '1'
		}
	}
	return string(digits)
}

func TestBinomialBound(t *testing.T) {
	for _, b := range readReference(t).Bounds {
		if got := BinomialBound(int(b[0]), int(b[1]), b[2]); math.Abs(got-b[3]) > 1e-9 {
			t.Errorf("%g of %g at δ = %g: %v, scipy 1.17.1 has %v", b[0], b[1], b[2], got, b[3])
		}
	}
}

// world draws exchangeable examples of a model that is over-confident and wrong about the
// rarer classes.
type world struct{ rng *rand.Rand }

func (w world) draw(n, classes int) (p [][]float64, labels []int32, u []float64) {
	for range n {
		truth, row := make([]float64, classes), make([]float64, classes)
		for k := range truth {
			truth[k] = 1.5*w.rng.NormFloat64() - .2*float64(k)
			row[k] = 2*truth[k] + .5*w.rng.NormFloat64()
		}
		softmax.Replace(truth, slices.Max(truth))
		softmax.Replace(row, slices.Max(row))
		label, left := 0, w.rng.Float64()
		for left -= truth[0]; left > 0 && label < classes-1; left -= truth[label] {
			label++
		}
		p, labels, u = append(p, row), append(labels, int32(label)), append(u, w.rng.Float64())
	}
	return p, labels, u
}

const repetitions = 2000

// Over many draws of held-out and new examples, the right class is in the set with
// probability 1-α to 1-α + 1/(n+1).
func TestCoverage(t *testing.T) {
	const held, shown, alpha = 49, 20, .125
	for _, o := range []Options{
		{Method: LAC}, {Method: APS}, {Method: APS, Randomized: true},
		{Method: RAPS, Penalty: .1, Rank: 1}, {Method: RAPS, Penalty: .1, Rank: 1, Randomized: true},
	} {
		t.Run(fmt.Sprintf("%s randomized=%v", o.Method, o.Randomized), func(t *testing.T) {
			t.Parallel()
			o.Alpha = alpha
			w, covered, size := world{rand.New(rand.NewPCG(1, 2))}, 0, 0
			for range repetitions {
				p, labels, u := w.draw(held+shown, 4)
				random := u[:held]
				if !o.Randomized {
					random = nil
				}
				s, err := Fit(p[:held], labels[:held], random, o)
				if err != nil {
					t.Fatal(err)
				}
				for i := held; i < held+shown; i++ {
					set := s.Of(p[i], u[i])
					size += len(set)
					if slices.Contains(set, int(labels[i])) {
						covered++
					}
				}
			}
			n := float64(repetitions * shown)
			between(t, "coverage", float64(covered)/n, 1-alpha, 1-alpha+1./(held+1), coverageError(alpha, held, shown))
			t.Logf("%.2f classes a set", float64(size)/n)
		})
	}
}

// With a threshold for each class, the same holds for each class.
func TestClassConditionalCoverage(t *testing.T) {
	const held, shown, classes, alpha = 150, 20, 3, .1
	w := world{rand.New(rand.NewPCG(3, 4))}
	var covered, seen, excess [classes]float64
	for range repetitions {
		p, labels, _ := w.draw(held+shown, classes)
		s, err := Fit(p[:held], labels[:held], nil, Options{Alpha: alpha, PerClass: true})
		if err != nil {
			t.Fatal(err)
		}
		for k, n := range s.Examples {
			excess[k] += 1 / float64(n+1) / repetitions
		}
		for i := held; i < held+shown; i++ {
			k := labels[i]
			seen[k]++
			if slices.Contains(s.Of(p[i], 0), int(k)) {
				covered[k]++
			}
		}
	}
	for k := range classes {
		between(t, fmt.Sprintf("coverage of class %d", k), covered[k]/seen[k], 1-alpha, 1-alpha+excess[k], coverageError(alpha, int(1/excess[k]), int(seen[k]/repetitions)))
	}
}

// The next score is below the threshold with a probability of at most the rate, and of not
// much less.
func TestFalseAlarms(t *testing.T) {
	const held, shown, rate = 60, 50, .1
	rng, below := rand.New(rand.NewPCG(5, 6)), 0
	for range repetitions {
		scores := make([]float64, held)
		for i := range scores {
			scores[i] = rng.ExpFloat64()
		}
		threshold, err := Threshold(scores, rate)
		if err != nil {
			t.Fatal(err)
		}
		for range shown {
			if rng.ExpFloat64() < threshold {
				below++
			}
		}
	}
	between(t, "false alarms", float64(below)/repetitions/shown, rate-1./(held+1), rate, coverageError(rate, held, shown))
}

// coverageError is the standard deviation of the mean over all repetitions: that of the
// coverage, which has a Beta distribution over draws of n held-out examples, and of counting.
func coverageError(alpha float64, n, shown int) float64 {
	return math.Sqrt(alpha * (1 - alpha) * (1/float64(n+2) + 1/float64(shown)) / repetitions)
}

// between allows for four standard deviations.
func between(t *testing.T, what string, got, low, high, deviation float64) {
	t.Helper()
	t.Logf("%s: %.4f, from %.4f to %.4f", what, got, low, high)
	if got < low-4*deviation || got > high+4*deviation {
		t.Errorf("%s is %.4f ± %.4f, not from %.4f to %.4f", what, got, deviation, low, high)
	}
}

// Of answers above the threshold more than the share r is wrong for at most the share δ of
// draws, and a good part of what could be answered is.
func TestRisk(t *testing.T) {
	const held, level, delta = 400, .2, .2
	rng := rand.New(rand.NewPCG(7, 8))
	broken, coverage, none := 0, 0., 0
	for range repetitions {
		confidence, right := make([]float64, held), make([]bool, held)
		for i := range held {
			confidence[i] = rng.Float64()
			right[i] = rng.Float64() > .5*(1-confidence[i]) // wrong with probability (1-c)/2
		}
		r, err := FitRisk(confidence, right, level, delta)
		if err != nil {
			none++
			continue
		}
		// Above θ a share (1-θ)/4 is wrong.
		if (1-r.Threshold)/4 > level {
			broken++
		}
		coverage += 1 - r.Threshold
	}
	if share := float64(broken) / repetitions; share > delta {
		t.Errorf("a share of %.3f of thresholds breaks the risk, want %g or less", share, delta)
	}
	mean := coverage / float64(repetitions-none)
	t.Logf("%d thresholds of %d break the risk; coverage %.3f of the possible .8; %d found none", broken, repetitions, mean, none)
	if mean < .5 || none > repetitions/20 {
		t.Errorf("coverage %.3f, want .5 or more; %d draws have no threshold", mean, none)
	}
}

func TestRiskOfTies(t *testing.T) {
	// 110 right answers at 1, then 40 of confidence .5, half of them wrong: those are answered
	// together or not at all.
	confidence, right := make([]float64, 150), make([]bool, 150)
	for i := range confidence {
		confidence[i], right[i] = 1, true
		if i >= 110 {
			confidence[i], right[i] = .5, i%2 == 0
		}
	}
	r, err := FitRisk(confidence, right, .1, .05)
	if err != nil {
		t.Fatal(err)
	}
	if !(r.Threshold > .5 && r.Threshold <= 1) || r.Answered != 110 || r.Wrong != 0 || !(r.Bound > 0 && r.Bound <= .1) {
		t.Errorf("%+v", r)
	}
	if r, err = FitRisk(confidence, right, .4, .05); err != nil || r.Answered != 150 || r.Wrong != 20 || r.Threshold != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// The least number that an error names is enough, and one less is not.
func TestNeedIsExact(t *testing.T) {
	for _, rate := range []float64{.5, .1, .05, .01, .001, 1. / 3, .07} {
		need := needed(rate)
		for n, want := range map[int]bool{need: true, need - 1: false} {
			scores := make([]float64, n)
			for i := range scores {
				scores[i] = float64(i)
			}
			_, err := Quantile(scores, rate)
			if (err == nil) != want {
				t.Errorf("α = %g, n = %d: %v", rate, n, err)
			}
		}
	}
	for _, level := range []float64{.3, .05, .01} {
		need := int(math.Ceil(math.Log(.05) / math.Log(1-level)))
		for n, want := range map[int]bool{need: true, need - 1: false} {
			confidence, right := make([]float64, n), make([]bool, n)
			for i := range right {
				confidence[i], right[i] = float64(i)/1e3, true
			}
			_, err := FitRisk(confidence, right, level, .05)
			if (err == nil) != want {
				t.Errorf("risk %g, n = %d: %v", level, n, err)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	nan := math.NaN()
	p := [][]float64{{.6, .4}, {.3, .7}}
	fit := func(p [][]float64, labels []int32, u []float64, o Options) error {
		_, err := Fit(p, labels, u, o)
		return err
	}
	threshold := func(scores []float64, rate float64) error {
		_, err := Threshold(scores, rate)
		return err
	}
	risk := func(confidence []float64, right []bool, level, delta float64) error {
		_, err := FitRisk(confidence, right, level, delta)
		return err
	}
	wrong := make([]bool, 200)
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"method":             {fit(p, []int32{0, 1}, nil, Options{Method: "best", Alpha: .5}), []string{`"best"`, "lac, aps or raps"}},
		"alpha NaN":          {fit(p, []int32{0, 1}, nil, Options{Alpha: nan}), []string{"alpha is NaN", "between 0 and 1"}},
		"randomized lac":     {fit(p, []int32{0, 1}, []float64{0, 0}, Options{Alpha: .5, Randomized: true}), []string{"nothing to randomize"}},
		"penalty of aps":     {fit(p, []int32{0, 1}, nil, Options{Method: APS, Alpha: .5, Penalty: 1}), []string{"choose raps"}},
		"negative penalty":   {fit(p, []int32{0, 1}, nil, Options{Method: RAPS, Alpha: .5, Penalty: -1}), []string{"penalty of -1"}},
		"too few":            {fit(p, []int32{0, 1}, nil, Options{Alpha: .1}), []string{"2 held-out examples", "coverage of 0.9", "needs 9"}},
		"too few of a class": {fit(p, []int32{0, 0}, nil, Options{Alpha: .4, PerClass: true}), []string{"0 held-out examples of class 1", "needs 2"}},
		"probability NaN":    {fit([][]float64{{nan, 1}}, []int32{0}, nil, Options{Alpha: .5}), []string{"NaN", "finite"}},
		"label":              {fit(p, []int32{0, 2}, nil, Options{Alpha: .5}), []string{"label 2"}},
		"no random numbers":  {fit(p, []int32{0, 1}, nil, Options{Method: APS, Alpha: .5, Randomized: true}), []string{"0 random numbers for 2 examples"}},
		"random number":      {fit(p, []int32{0, 1}, []float64{0, 2}, Options{Method: APS, Alpha: .5, Randomized: true}), []string{"random number 1", "is 2"}},
		"rate":               {threshold([]float64{1, 2}, 1), []string{"false alarms is 1", "between 0 and 1"}},
		"score NaN":          {threshold([]float64{1, nan}, .5), []string{"score 1", "NaN"}},
		"few scores":         {threshold([]float64{1, 2}, .05), []string{"2 held-out", "needs 19"}},
		"equal scores":       {threshold(make([]float64, 50), .1), []string{"does not separate", "choose another"}},
		"risk":               {risk([]float64{1}, []bool{true}, 0, .1), []string{"the risk is 0"}},
		"delta":              {risk([]float64{1}, []bool{true}, .1, nan), []string{"delta is NaN"}},
		"lengths":            {risk([]float64{1}, nil, .1, .1), []string{"1 confidences but 0 answers"}},
		"few answers":        {risk([]float64{1}, []bool{true}, .1, .1), []string{"1 held-out examples", "risk of 0.1", "needs "}},
		"all wrong":          {risk(make([]float64, 200), wrong, .1, .1), []string{"no threshold", "200 of them wrong", "hold out more"}},
	} {
		t.Run(name, func(t *testing.T) { testerror.Want(t, c.err, c.want...) })
	}
}

func TestCheck(t *testing.T) {
	good := Sets{Options: Options{Method: LAC, Alpha: .1}, Classes: 3, Examples: []int{20}, Thresholds: []float64{.5}}
	if err := good.Check(3); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(s *Sets){
		"classes":    func(s *Sets) { s.Classes = 2 },
		"per class":  func(s *Sets) { s.PerClass = true },
		"thresholds": func(s *Sets) { s.Thresholds = nil },
		"NaN":        func(s *Sets) { s.Thresholds = []float64{math.NaN()} },
		"alpha":      func(s *Sets) { s.Alpha = 0 },
	} {
		bad := good
		change(&bad)
		if bad.Check(3) == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
