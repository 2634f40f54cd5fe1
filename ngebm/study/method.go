package study

import (
	"fmt"
	"image/color"
	"slices"
	"strings"

	"ngebm/data/nearest"
	"ngebm/ngebm"
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

// The colors of methods, from Okabe and Ito's palette and Tol's muted one. NG-EBM has
// three shades: the stronger the regularization, the darker (CIE L* of 79, 54 and 31).
var (
	blue            = color.NRGBA{0x00, 0x72, 0xb2, 0xff}
	reddishPurple   = color.NRGBA{0xcc, 0x79, 0xa7, 0xff}
	bluishGreen     = color.NRGBA{0x00, 0x9e, 0x73, 0xff}
	orange          = color.NRGBA{0xe6, 0x9f, 0x00, 0xff}
	vermillion      = color.NRGBA{0xd5, 0x5e, 0x00, 0xff}
	lightVermillion = color.NRGBA{0xff, 0xb2, 0x7f, 0xff}
	darkVermillion  = color.NRGBA{0x80, 0x2f, 0x00, 0xff}
	olive           = color.NRGBA{0x99, 0x99, 0x33, 0xff}
	brown           = color.NRGBA{0x8c, 0x56, 0x4b, 0xff}
	gray            = color.NRGBA{0x7f, 0x7f, 0x7f, 0xff}
	skyBlue         = color.NRGBA{0x56, 0xb4, 0xe9, 0xff} // after temperature scaling
	black           = color.NRGBA{0x00, 0x00, 0x00, 0xff}
)

// Methods returns the methods that a [Plan] can name: those of ngebm.Methods, and
// [Selected] without its settings.
func Methods() []Method {
	shown := map[string]Method{
		"cross-entropy":   {Color: blue},
		"label-smoothing": {Title: "label smoothing", Color: reddishPurple},
		"focal":           {Color: brown},
		"mixup":           {Color: gray},
		"ng-ebm":          {Title: "NG-EBM β=γ=.1", Color: vermillion},
		"ng-ebm-paper":    {Title: "NG-EBM, paper's weights", Color: darkVermillion},
		"jem":             {Color: bluishGreen},
		"jem++":           {Color: olive},
		"adversarial":     {Color: orange},
		"energy-margin":   {Color: black},
	}
	var all []Method
	for _, m := range ngebm.Methods() {
		method := shown[m.Name]
		method.Name, method.Base = m.Name, m.Name
		all = append(all, method.complete())
	}
	return append(all, Method{Name: Selected, Title: "NG-EBM, chosen weights", Color: vermillion, Base: "ng-ebm"})
}

// ComparisonMethods returns the methods that the notebooks compare: cross-entropy, label
// smoothing with ε = .1, and NG-EBM with weak weights and with the paper's.
func ComparisonMethods() []Method {
	return []Method{
		{Name: "cross-entropy", Title: "cross-entropy", Color: blue, Settings: "beta=0,gamma=0"},
		{Name: "label-smoothing", Title: "label smoothing", Color: reddishPurple, Settings: "label_smoothing=.1"},
		{Name: "ng-ebm-weak", Title: "NG-EBM β=γ=.01", Color: lightVermillion, Settings: "beta=.01,gamma=.01"},
		{Name: "ng-ebm-paper", Title: "NG-EBM β=γ=1", Color: darkVermillion, Settings: "beta=1,gamma=1"},
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
	if i := slices.IndexFunc(all, func(m Method) bool { return m.Name == name }); i >= 0 {
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
	if m.Base != "" {
		if err := base.SetMethod(m.Base); err != nil {
			return base, err
		}
	}
	if err := base.Set(m.Settings); err != nil {
		return base, err
	}
	base.Seed = seed
	return base, nil
}
