package ngebm

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/ngebm/energy"
	"ngebm/ngebm/jem"
)

// What is read of a run's past is shown to people as it is, so it must be such as training
// can write: a number out of its range is damage, or a lie.

// checkHistory checks that the parts of the history fit each other, which whoever reads it
// relies on, and that its numbers are in their ranges. JSON has neither NaN nor infinities.
func (h *header) checkHistory() error {
	s := &h.History
	terms := len(s.Terms)
	fits := len(s.Weights) == terms && s.StepsPerEpoch >= 0 && (s.StepsPerEpoch > 0 || h.Step == 0)
	for _, e := range s.Evaluations {
		fits = fits && len(e.Values) == terms && 0 <= e.Step && e.Step <= h.Step
	}
	if !fits {
		return damaged("has a history whose parts do not fit each other")
	}
	for i, w := range s.Weights {
		if len(s.Terms[i]) > maxName {
			return damaged("has a history with a term of %d bytes", len(s.Terms[i]))
		}
		if w < 0 {
			return damaged("has a history in which the weight of %q is %g, below 0", s.Terms[i], w)
		}
	}
	for _, e := range s.Evaluations {
		if err := e.check(s.Terms); err != nil {
			return err
		}
	}
	if len(s.Events) > maxEvents {
		return damaged("has a history with %d events, more than %d", len(s.Events), maxEvents)
	}
	// A run that was set back keeps the events of the steps that it lost.
	for _, e := range s.Events {
		if e.Step < 0 {
			return damaged("has a history with an event at step %d", e.Step)
		}
		if len(e.What) > maxText {
			return damaged("has a history with an event of %d bytes of text", len(e.What))
		}
	}
	if s.Recoveries < 0 || len(s.Stopped) > maxText {
		return damaged("has a history with %d recoveries, and %d bytes of why it stopped", s.Recoveries, len(s.Stopped))
	}
	return nil
}

const (
	maxText   = 4096               // bytes of a text that is printed in a line
	maxEvents = 2 * (maxTimes + 1) // a run diverges, and is set back
)

// check tells whether an evaluation can have been made. Values of terms that no set has,
// such as JEM's, are NaN; those that every set has are at least 0, but for rounding.
func (e Evaluation) check(terms []string) error {
	switch {
	case e.Examples < 1:
		return damaged("has an evaluation on %d examples", e.Examples)
	case !(0 <= e.Accuracy && e.Accuracy <= 1):
		return damaged("has an evaluation with the accuracy %g, which is not in [0,1]", e.Accuracy)
	case !(math.Abs(e.Loss) <= divergedAbove):
		return damaged("has an evaluation with the loss %g, beyond %.0e", e.Loss, divergedAbove)
	}
	ofSets := []string{energy.NameCrossEntropy, energy.NameFocal, energy.NameVariance, energy.NameGradientNorm}
	for i, name := range terms {
		if slices.Contains(ofSets, name) && !(e.Values[i] >= -1e-6) {
			return damaged("has an evaluation in which %q is %g", name, e.Values[i])
		}
	}
	return nil
}

// hasCurves checks that the first tensors are the history's curves, a value a step.
func (h *header) hasCurves() error {
	for i := range 2 + len(h.History.Terms) {
		if i >= len(h.Tensors) || h.Tensors[i].DType != dtypes.Float32.String() || !slices.Equal(h.Tensors[i].Shape, []int{h.Step}) {
			return damaged("has no whole history of its %d steps", h.Step)
		}
	}
	return nil
}

// pastFits compares a history with the configuration that it is of.
func (r *Run) pastFits(head header) error {
	h, total := head.History, math.MaxInt
	if perEpoch := head.History.StepsPerEpoch; perEpoch <= math.MaxInt/r.Config.Epochs {
		total = perEpoch * r.Config.Epochs
	}
	last := head.Step
	for _, e := range h.Events {
		last = max(last, e.Step)
	}
	if last > total {
		return fmt.Errorf("tells of step %d, and its configuration has %d steps (%d epochs of %d)", last, total, r.Config.Epochs, h.StepsPerEpoch)
	}
	if h.Recoveries > r.Config.Recover.Times {
		return fmt.Errorf("tells of %d recoveries, and its configuration allows %d", h.Recoveries, r.Config.Recover.Times)
	}
	weights := r.Config.lossWeights(r.Classifier.Shape)
	for i, name := range h.Terms {
		if want, ok := weights[name]; ok && !(math.Abs(h.Weights[i]-want) <= 1e-9*want) {
			return fmt.Errorf("tells the weight %g of %q, and its configuration %g", h.Weights[i], name, want)
		}
	}
	return nil
}

// lossWeights are the weights of the loss's terms, by name; see [Config.Objective].
func (c Config) lossWeights(shape []int) map[string]float64 {
	c = c.withDefaults()
	weights := map[string]float64{jem.NameGap: c.JEM.Weight, jem.NameJointGap: c.JEM.Joint, jem.NameSquare: c.JEM.EnergyL2, jem.NameSlope: 0, energy.NameMargin: c.Margin.Weight}
	base := c.baseLoss(shape)
	weights[energy.NameCrossEntropy], weights[energy.NameFocal] = base.Alpha, base.Alpha
	weights[energy.NameVariance], weights[energy.NameGradientNorm] = base.Beta, base.Gamma
	return weights
}

// isFinite tells whether all numbers of a tensor are neither NaN nor infinite. In each of
// these types that is a number whose bits of the exponent are not all set.
func isFinite(t *tensors.Tensor) bool {
	exponents := map[dtypes.DType]uint64{
		dtypes.Float64: 0x7ff << 52, dtypes.Float32: 0xff << 23, dtypes.BFloat16: 0xff << 7, dtypes.Float16: 0x1f << 10,
	}
	exponent, float := exponents[t.DType()]
	if !float || t.Size() == 0 {
		return true
	}
	finite := true
	err := t.ConstBytes(func(b []byte) {
		for size := t.DType().Size(); len(b) >= size && finite; b = b[size:] {
			var bits uint64
			switch size {
			case 2:
				bits = uint64(binary.LittleEndian.Uint16(b))
			case 4:
				bits = uint64(binary.LittleEndian.Uint32(b))
			default:
				bits = binary.LittleEndian.Uint64(b)
			}
			finite = bits&exponent != exponent
		}
	})
	return finite && err == nil
}

// takeHistory moves the history's curves from the tensors to the history.
func (c *checkpoint) takeHistory() error {
	curves := make([][]float32, 0, 2+len(c.history.Terms))
	for i := range 2 + len(c.history.Terms) {
		curve, err := tensors.CopyFlatData[float32](c.weights[i].value)
		if err != nil {
			return err
		}
		curves = append(curves, curve)
	}
	c.history.Loss, c.history.LearningRate, c.history.Values = curves[0], curves[1], curves[2:]
	c.weights = c.weights[len(curves):]
	return nil
}

// check tells whether a run can have cost that much.
func (c Cost) check() error {
	for name, seconds := range map[string]float64{"seconds": c.Seconds, "data_wait": c.DataWait, "process_seconds": c.Process} {
		if !(0 <= seconds && seconds <= maxSeconds) {
			return fmt.Errorf("%s is %g, not from 0 to %g", name, seconds, float64(maxSeconds))
		}
	}
	if len(c.Earlier) > maxMakers {
		return fmt.Errorf("it tells of %d earlier makers, more than %d", len(c.Earlier), maxMakers)
	}
	for _, m := range append([]Maker{c.Maker}, c.Earlier...) {
		if m.Devices < 0 || m.Devices > maxBatch {
			return fmt.Errorf("devices is %d, not from 0 to %d", m.Devices, maxBatch)
		}
		if len(m.Source)+len(m.Libraries)+len(m.Kind) > maxText {
			return fmt.Errorf("the text of a maker is longer than %d bytes", maxText)
		}
	}
	if len(c.Code)+len(c.Device) > maxText {
		return fmt.Errorf("code and device are longer than %d bytes", maxText)
	}
	return nil
}

const (
	maxSeconds = 1e10 // three hundred years, of several processors
	maxMakers  = 1000
)
