package ngebm

import (
	"fmt"
	"math"
	"strings"

	"ngebm/ngebm/energy"
	"ngebm/ngebm/jem"
	"ngebm/ngebm/nets"
)

// baseLoss is what every method's loss has, for examples of the given shape.
func (c Config) baseLoss(shape []int) energy.NGEBM {
	base := energy.NGEBM{
		Alpha: c.Alpha, Beta: c.Beta, Gamma: c.Gamma, Smoothing: c.LabelSmoothing, Focal: c.Focal, LogitNorm: c.LogitNorm,
		ZLoss: c.ZLoss, InputGradient: c.InputGradient, Jacobian: c.Jacobian,
	}
	if c.GammaPerDimension {
		base.Gamma *= math.Sqrt(float64(sizeOf(shape)))
	}
	return base
}

// Objective returns the loss that the configuration minimizes for examples of the
// given shape.
func (c Config) Objective(shape []int) energy.Objective {
	base := c.baseLoss(shape)
	c = c.WithDefaults()
	switch {
	case c.JEM.Enabled():
		return jem.Objective{NGEBM: base, Settings: c.JEM}
	case c.Margin.Outliers != "":
		return energy.Bounded{NGEBM: base, Weight: c.Margin.Weight, In: c.Margin.In, Out: c.Margin.Out, Exposure: c.Margin.Exposure}
	}
	return base
}

// lossWeights are the weights of the loss's terms, by name; see [Config.Objective].
func (c Config) lossWeights(shape []int) map[string]float64 {
	c = c.WithDefaults()
	weights := map[string]float64{jem.NameGap: c.JEM.Weight, jem.NameJointGap: c.JEM.Joint, jem.NameSquare: c.JEM.EnergyL2, jem.NameSlope: 0, energy.NameMargin: c.Margin.Weight}
	base := c.baseLoss(shape)
	weights[energy.NameExposure] = c.Margin.Exposure
	weights[energy.NameZLoss], weights[energy.NameInputGradient], weights[energy.NameJacobian] = base.ZLoss, base.InputGradient, base.Jacobian
	weights[energy.NameCrossEntropy], weights[energy.NameFocal], weights[energy.NameLogitNorm] = base.Alpha, base.Alpha, base.Alpha
	weights[energy.NameVariance], weights[energy.NameGradientNorm] = base.Beta, base.Gamma
	return weights
}

// TrainsEnergy reports whether the loss has more than the classification's term: terms of the
// energy, of gradients with respect to inputs, of samples or of outliers.
func (c Config) TrainsEnergy() bool {
	return c.Beta != 0 || c.Gamma != 0 || c.JEM.Enabled() || c.Margin.Outliers != "" || c.ZLoss != 0 || c.InputGradient != 0 || c.Jacobian != 0
}

// fitsBatches refuses layers that look at whole batches where the configuration has no use
// for what they do.
func (c Config) fitsBatches(net nets.Network) error {
	if g, ok := net.(nets.Gauge); ok {
		net = g.Net
	}
	b, ok := net.(nets.BatchStatistics)
	if !ok {
		return nil
	}
	switch {
	case b.UsesBatches() && c.TrainsEnergy():
		return fmt.Errorf("ngebm: %s has batch normalization, with which an example's energy depends on the other examples of its batch, and this configuration trains the energy (%s); use group, layer, instance, act or none in its place, as in %s, or the method cross-entropy",
			net, c.Method(), withNorm(net, "group"))
	case b.LearnsFromBatches() && c.Precision == BFloat16:
		return fmt.Errorf("ngebm: %s takes statistics of batches, which precision=%s does not keep; use group, layer or instance normalization, or float32", net, c.Precision)
	}
	return nil
}

// withNorm names a network with another normalization.
func withNorm(net nets.Network, norm string) string {
	base, _, _ := strings.Cut(net.String(), "+")
	return base + "+" + norm
}
