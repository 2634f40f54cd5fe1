package tabular

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"ngebm/data/testerror"
)

// The expected values are those of scikit-learn 1.9.1 in float64: StandardScaler for age and income,
// OneHotEncoder for color.
func TestInputsEqualScikitLearn(t *testing.T) {
	read := table(t, people, "class")
	e, constant, err := read.Fit([]int{0, 1, 2, 3, 4})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(constant, []string{"const"}) {
		t.Errorf("constant columns %q", constant)
	}
	for k, want := range map[int][2]float64{0: {39.2, 12.890306435457616}, 2: {1490.15, 791.3836237881094}} {
		if c := e.Columns[k]; math.Abs(c.Mean-want[0]) > 1e-12 || math.Abs(c.Deviation-want[1]) > 1e-12 {
			t.Errorf("%s: mean %v and deviation %v, want %v", c.Name, c.Mean, c.Deviation, want)
		}
	}
	want := []float32{ // age, color=blue, color=green, color=red, income
		-0.6361369490623474, 0, 0, 1, -0.3660045266151428,
		0.44995051622390747, 1, 0, 0, -0.8720802068710327,
		-1.3343360424041748, 0, 0, 1, -0.682222843170166,
		1.61361563205719, 0, 1, 0, 1.9078611135482788,
		-0.09309320896863937, 1, 0, 0, 0.012446555308997631,
	}
	got, err := read.Encode(e)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%v (%v)", got, err)
	}
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1e-7 {
			t.Errorf("input %d is %v, want %v", i, got[i], want[i])
		}
	}
	if names := e.Inputs(); !slices.Equal(names, []string{"age", "color=blue", "color=green", "color=red", "income"}) {
		t.Errorf("inputs %q", names)
	}
}

// A row has the same inputs however it arrives, and after the encoder was stored.
func TestRowsEncodeAlike(t *testing.T) {
	read := table(t, people, "class")
	all, err := read.Encode(fitted(t, read))
	if err != nil {
		t.Fatal(err)
	}
	e := new(Encoder)
	if err := json.Unmarshal(fitted(t, read).JSON(), e); err != nil {
		t.Fatal(err)
	}
	first := all[:e.Size()]
	for _, row := range []map[string]any{
		{"age": 31, "color": "red", "income": 1200.5},
		{"age": "31", "color": " red ", "income": "1200.5", "class": "no", "note": nil},
		{"age": json.Number("31"), "color": "red", "income": float32(1200.5)},
		{"age": int64(31), "color": "red", "income": 1.2005e3},
	} {
		if got, err := e.Encode(row); err != nil || !slices.Equal(got, first) {
			t.Errorf("%v: %v, want %v (%v)", row, got, first, err)
		}
	}
	rows, err := e.Read(context.Background(), strings.NewReader("note;income;color;age\n\n-;1200.5;red;31\nx;800;blue;45\n"))
	if err != nil || !slices.Equal(rows.Inputs, all[:2*e.Size()]) || rows.Labels != nil || !slices.Equal(rows.Lines, []int{3, 4}) {
		t.Errorf("%+v (%v)", rows, err)
	}
	if rows, err = e.Read(context.Background(), strings.NewReader(people)); err != nil || !slices.Equal(rows.Inputs, all) || rows.Labels[1] != "no" {
		t.Errorf("%+v (%v)", rows, err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	e := fitted(t, table(t, people, "class"))
	for want, row := range map[string]map[string]any{
		`column "income" is missing; a row has age, color, income`:                       {"age": 1, "color": "red"},
		`column "age" has the text "old": give a number`:                                 {"age": "old", "color": "red", "income": 1},
		`column "color" has the unknown category "pink"`:                                 {"age": 1, "color": "pink", "income": 1},
		`column "color" has the unknown category "3": those of the training data are bl`: {"age": 1, "color": 3, "income": 1},
		`column "income" has "NaN"`:                                                      {"age": 1, "color": "red", "income": math.NaN()},
		`column "income" has "+Inf"`:                                                     {"age": 1, "color": "red", "income": math.Inf(1)},
		`column "income" has no value`:                                                   {"age": 1, "color": "red", "income": nil},
		`column "income" has 1e+100, which is too far from the mean`:                     {"age": 1, "color": "red", "income": 1e100},
		`column "age" has a value of type []int`:                                         {"age": []int{1}, "color": "red", "income": 1},
	} {
		_, err := e.Encode(row)
		testerror.Want(t, err, want)
	}
	for want, content := range map[string]string{
		`line 1 has no column "income"`:                          "age,color\n1,red\n",
		`line 3: column "color" has the unknown category "pink"`: "age,color,income\n1,red,2\n1,pink,2\n",
		`line 2: column "age" has no value`:                      "age,color,income\n,red,2\n",
		`no rows below the header`:                               "age,color,income\n",
	} {
		_, err := e.Read(context.Background(), strings.NewReader(content))
		testerror.Want(t, err, want)
	}
}

func TestFitRefuses(t *testing.T) {
	_, _, err := table(t, "x,y\n1,a\n1,b\n", "y").Fit([]int{0, 1})
	testerror.Want(t, err, "no column but the class varies")
	_, _, err = table(t, people, "class").Fit(nil)
	testerror.Want(t, err, "no rows")
}

// Categories are the column's domain, so that a row outside the training rows may hold any of
// them; numbers are standardized by the training rows alone.
func TestFitOnPart(t *testing.T) {
	read := table(t, people, "class")
	e, _, err := read.Fit([]int{0, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	if c := e.Columns[1]; !slices.Equal(c.Categories, []string{"blue", "green", "red"}) {
		t.Errorf("categories %q", c.Categories)
	}
	if c := e.Columns[0]; math.Abs(c.Mean-98./3) > 1e-12 {
		t.Errorf("mean %v of 31, 45 and 22", c.Mean)
	}
	if _, err := read.Encode(e); err != nil {
		t.Error(err)
	}
}

// A column of equal values has a deviation of rounding errors only; it is constant.
func TestEqualValuesAreConstant(t *testing.T) {
	_, constant, err := table(t, "x,z,y\n.1,1,a\n.1,2,b\n.1,3,a\n", "y").Fit([]int{0, 1, 2})
	if err != nil || !slices.Equal(constant, []string{"x"}) {
		t.Errorf("%q (%v)", constant, err)
	}
}

func TestColumn(t *testing.T) {
	e := fitted(t, table(t, people, "class"))
	if c, input, err := e.Column("income"); err != nil || c.Name != "income" || input != 4 {
		t.Errorf("%v at input %d (%v)", c, input, err)
	}
	_, _, err := e.Column("salary")
	testerror.Want(t, err, `"salary"`, "age, color, income")
}

// A stored encoder comes from anyone.
func TestValidate(t *testing.T) {
	if err := fitted(t, table(t, people, "class")).Validate(); err != nil {
		t.Error(err)
	}
	number := Column{Name: "x", Mean: 1, Deviation: 2}
	for want, e := range map[string]Encoder{
		"the label is called":                   {Columns: []Column{number}},
		"0 columns":                             {Label: "y"},
		`"x" is there twice`:                    {Label: "y", Columns: []Column{number, number}},
		`"y" is there twice`:                    {Label: "y", Columns: []Column{{Name: "y", Deviation: 1}}},
		"deviation 0":                           {Label: "y", Columns: []Column{{Name: "x"}}},
		"deviation -1":                          {Label: "y", Columns: []Column{{Name: "x", Deviation: -1}}},
		"mean is 1e+300":                        {Label: "y", Columns: []Column{{Name: "x", Mean: 1e300, Deviation: 1}}},
		"0 categories":                          {Label: "y", Columns: []Column{{Name: "x", Categories: []string{}}}},
		`category "a" does not follow`:          {Label: "y", Columns: []Column{{Name: "x", Categories: []string{"b", "a"}}}},
		`a category is called "\x1b[2J"`:        {Label: "y", Columns: []Column{{Name: "x", Categories: []string{"\x1b[2J", "a"}}}},
		"a mean of 1 and a deviation of 0":      {Label: "y", Columns: []Column{{Name: "x", Mean: 1, Categories: []string{"a", "b"}}}},
		`a column is called "", which is no na`: {Label: "y", Columns: []Column{{Deviation: 1}}},
	} {
		testerror.Want(t, e.Validate(), want)
	}
}
