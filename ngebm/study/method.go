package study

import (
	"fmt"
	"image/color"
	"slices"
	"strings"

	"ngebm/data/nearest"
	"ngebm/ngebm"
	"ngebm/ngebm/study/palette"
)

// Method is one way to train, and how figures and tables show it.
type Method struct {
	// Name is used in flags, files and errors: "label-smoothing".
	Name string
	// Title is used in figures and tables: "label smoothing". Empty stands for Name.
	Title string
	// Color is the method's color in every figure; nil leaves the choice to the figure.
	Color color.Color
	// Base is the training method of ngebm.Methods that is set first; empty leaves the
	// base configuration's.
	Base string
	// Settings are changed after that, as [ngebm.Config.Set] takes them.
	Settings string
}

// Selected is the name of the method whose weights [Selection] finds on validation data:
// NG-EBM with one of the candidates' settings.
const Selected = "ng-ebm-chosen"

// Methods returns the methods that a [Plan] can name: those of ngebm.Methods and
// ngebm.Controls, and [Selected] without its settings.
func Methods() []Method {
	shown := map[string]Method{
		"cross-entropy":   {Color: palette.Blue},
		"label-smoothing": {Title: "label smoothing", Color: palette.ReddishPurple},
		"focal":           {Color: palette.Brown},
		"mixup":           {Color: palette.Gray},
		"ng-ebm":          {Title: "NG-EBM β=γ=.1", Color: palette.Vermillion},
		"ng-ebm-paper":    {Title: "NG-EBM, paper's weights", Color: palette.DarkVermillion},
		"jem":             {Color: palette.BluishGreen},
		"jem-informative": {Title: "JEM, informative start", Color: palette.Olive},
		"adversarial":     {Color: palette.Ocher},
		"energy-margin":   {Color: palette.Violet},

		"ng-ebm-beta":      {Title: "β alone, Var[E]", Color: palette.Rose},
		"ng-ebm-gamma":     {Title: "γ alone, ‖∂E/∂x‖", Color: palette.Wine},
		"z-loss":           {Title: "z-loss, mean E²", Color: palette.Indigo},
		"input-gradient":   {Title: "input gradient, ‖∂CE/∂x‖", Color: palette.Green},
		"jacobian":         {Title: "Jacobian", Color: palette.Teal},
		"gaussian-noise":   {Title: "Gaussian noise", Color: palette.Khaki},
		"logitnorm":        {Title: "LogitNorm", Color: palette.Lilac},
		"outlier-exposure": {Title: "outlier exposure", Color: palette.Slate},
	}
	var all []Method
	for _, m := range append(ngebm.Methods(), ngebm.Controls()...) {
		method := shown[m.Name]
		method.Name, method.Base = m.Name, m.Name
		all = append(all, method.complete())
	}
	return append(all, Method{Name: Selected, Title: "NG-EBM, chosen weights", Color: palette.Vermillion, Base: "ng-ebm"})
}

// ComparisonMethods returns the methods that the notebooks compare: cross-entropy, label
// smoothing with ε = .1, and NG-EBM with weak weights and with the paper's.
func ComparisonMethods() []Method {
	return []Method{
		{Name: "cross-entropy", Title: "cross-entropy", Color: palette.Blue, Settings: "beta=0,gamma=0"},
		{Name: "label-smoothing", Title: "label smoothing", Color: palette.ReddishPurple, Settings: "label_smoothing=.1"},
		{Name: "ng-ebm-weak", Title: "NG-EBM β=γ=.01", Color: palette.LightVermillion, Settings: "beta=.01,gamma=.01"},
		{Name: "ng-ebm-paper", Title: "NG-EBM β=γ=1", Color: palette.DarkVermillion, Settings: "beta=1,gamma=1"},
	}
}

// MethodNames returns the names of [Methods].
func MethodNames() []string {
	var names []string
	for _, m := range Methods() {
		names = append(names, m.Name)
	}
	return names
}

// FindMethod returns the method of [Methods] with that name.
func FindMethod(name string) (Method, error) {
	all := Methods()
	if i := slices.IndexFunc(all, func(m Method) bool { return m.Name == ngebm.CanonicalMethod(name) }); i >= 0 {
		return all[i], nil
	}
	names := MethodNames()
	return Method{}, fmt.Errorf("study: unknown method %.60q%s; choose from %s", name, nearest.Hint(name, names), strings.Join(names, ", "))
}

// Title returns the title of a method of [Methods], or the name itself of another.
func Title(name string) string {
	m, err := FindMethod(name)
	if err != nil {
		return name
	}
	return m.Title
}

// complete fills in the title.
func (m Method) complete() Method {
	if m.Title == "" {
		m.Title = m.Name
	}
	return m
}

// Configure returns the base configuration as the method trains it with a seed.
func (m Method) Configure(base ngebm.Config, seed uint64) (ngebm.Config, error) {
	if err := base.SetAll(m.Base, m.Settings); err != nil {
		return base, err
	}
	base.Seed = seed
	return base, nil
}
