package conformal

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/mathext/prng"

	"ngebm/data/testdisk"
	"ngebm/ngebm/internal/softmax"
)

// reference is torchcp.json, see make.py.
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
	readJSON(t, "torchcp", &r)
	return r
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name + ".json")
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatal(err)
	}
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

// examples are the probabilities and labels of a set.
func examples(t *testing.T, name string) (probabilities [][]float64, labels []int32) {
	t.Helper()
	probabilities = numbers(t, name+"_logits")
	for i, row := range numbers(t, name+"_labels") {
		softmax.Replace(probabilities[i], slices.Max(probabilities[i]))
		labels = append(labels, int32(row[0]))
	}
	return probabilities, labels
}

// tie says that a score equals its threshold, where rounding of the softmax decides: so it does for rows of
// equal probabilities in the second set.
func (s *Sets) tie(p []float64, u float64, k int) bool {
	return math.Abs(s.Scores(p, u)[k]-s.Thresholds[min(k, len(s.Thresholds)-1)]) < 1e-9
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
			probabilities, labels := examples(t, c.Data)
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
					if got[k] != want[k] && (!s.tie(p, 0, k) || c.Data != "C_n37_K3_edge") {
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
