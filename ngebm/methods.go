package ngebm

import (
	"fmt"
	"slices"
	"strings"

	"ngebm/data"
	"ngebm/data/nearest"
	"ngebm/ngebm/jem"
)

// Method is a way of training by its name.
type Method struct {
	Name  string
	About string
	// images and points are the settings that it changes, on images and on points in
	// the plane, as [Config.Set] takes them.
	images, points string
}

// Methods returns the ways of training that have a name: NG-EBM and its rivals. Their
// settings are the papers' where they carry over to small problems.
func Methods() []Method {
	both := func(name, about, settings string) Method { return Method{name, about, settings, settings} }
	return []Method{
		both("cross-entropy", "ordinary training", ""),
		both("label-smoothing", "cross-entropy with ε = .1 (Szegedy et al. 2016)", "label_smoothing=.1"),
		both("focal", "focal loss with γ = 3, which calibrates (Mukhoti et al. 2020)", "focal=3"),
		both("mixup", "examples blended in pairs, α = .2 (Zhang et al. 2018, Thulasidasan et al. 2019)", "augment.mixup=.2"),
		both("ng-ebm", "NG-EBM with β = γ = .1", "beta=.1,gamma=.1"),
		both("ng-ebm-paper", "NG-EBM with the paper's β = γ = 1, strong on small inputs", "beta=1,gamma=1"),
		{
			"jem", "JEM: samples by SGLD, 20 steps from a replay buffer (Grathwohl et al. 2020); in the plane at temperature 1",
			"jem.weight=1,jem.noise=.03", "jem.weight=1,jem.step=.01,jem.noise=.14",
		},
		{
			"jem++", "JEM with starts from the data's mean and covariance and 5 steps (after Yang, Ji 2021)",
			"jem.weight=1,jem.noise=.03,jem.start=data,jem.steps=5", "jem.weight=1,jem.step=.01,jem.noise=.14,jem.start=data,jem.steps=5",
		},
		{
			"adversarial", "training on PGD's examples: L∞ 8/255 of the pixel range, or .1 in the plane (Madry et al. 2018)",
			"adversarial.epsilon=.0314", "adversarial.epsilon=.1",
		},
		{
			"energy-margin", "cross-entropy and a margin between the energies of data and outliers, here noise or points in a box around the data (Liu et al. 2020; its margins for CIFAR-10 are 23 and 5, these 10 and 0)",
			"margin.outliers=uniform noise,margin.in=10,margin.out=0,margin.weight=.01", "margin.outliers=uniform box,margin.in=10,margin.out=0,margin.weight=.01",
		},
	}
}

// Use changes the configuration to the method of that name: everything that tells
// methods apart is set as the method has it, and nothing else is touched. Set what
// should differ afterwards.
func (c *Config) Use(method string) error {
	var names []string
	for _, m := range Methods() {
		names = append(names, m.Name)
		if m.Name != method {
			continue
		}
		c.Alpha, c.Beta, c.Gamma, c.GammaPerDimension = 1, 0, 0, false
		c.LabelSmoothing, c.Focal, c.Augment.Mixup = 0, 0, 0
		c.JEM, c.Adversarial, c.Margin = jem.Settings{}, Adversarial{}, Margin{}
		settings := m.images
		if set, _, _ := strings.Cut(c.Data, ":"); slices.Contains(data.Toy2DKinds(), set) {
			settings = m.points
		}
		return c.Set(settings)
	}
	return fmt.Errorf("ngebm: no method is named %.60q%s; there are %s", method, nearest.Hint(method, names), strings.Join(names, ", "))
}
