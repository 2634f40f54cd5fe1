package data

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const mixed = "age,color,class\n31,red,yes\n45,blue,no\n22,red,yes\n60,green,no\n38,blue,yes\n27,green,no\n"

func mixedTable(t *testing.T) *Dataset {
	t.Helper()
	folder := t.TempDir()
	writeFiles(t, folder, map[string]string{"train.csv": mixed, "test.csv": mixed})
	train, _ := openTable(t, folder+"@class")
	return train
}

func TestOODOfRows(t *testing.T) {
	train := mixedTable(t) // age, color=blue, color=green, color=red
	if kinds := train.OODKinds(); !slices.Equal(kinds, []string{"uniform box", "shifted", "permuted columns"}) {
		t.Fatalf("kinds %q", kinds)
	}
	made := map[string]*Dataset{}
	for _, kind := range train.OODKinds() {
		d, err := train.SynthesizeOOD(kind, 1)
		if err != nil {
			t.Fatal(err)
		}
		again, err := train.SynthesizeOOD(kind, 1)
		if err != nil || d.Checksum != again.Checksum || d.Encoder != train.Encoder || d.Len() != train.Len() {
			t.Errorf("%s: %s, again %s (%v)", kind, d, again, err)
		}
		made[kind] = d
	}
	column := func(d *Dataset, j int) (values []float32) {
		for i := range d.Len() {
			values = append(values, d.Points[i*4+j])
		}
		return values
	}
	t.Run("shifted moves numbers by 3 deviations", func(t *testing.T) {
		d := made["shifted"]
		move := d.Points[0] - train.Points[0]
		for i := range train.Points {
			want := train.Points[i]
			if i%4 == 0 {
				want += float32(math.Copysign(3, float64(move)))
			}
			if d.Points[i] != want {
				t.Errorf("value %d is %v, want %v", i, d.Points[i], want)
			}
		}
	})
	t.Run("permuted columns keep their values", func(t *testing.T) {
		d := made["permuted columns"]
		for j := range 4 {
			a, b := column(d, j), column(train, j)
			slices.Sort(a)
			slices.Sort(b)
			if !slices.Equal(a, b) {
				t.Errorf("input %d has %v, want %v", j, a, b)
			}
		}
		for i := range d.Len() {
			if sum := d.Points[i*4+1] + d.Points[i*4+2] + d.Points[i*4+3]; sum != 1 {
				t.Errorf("row %d has %v categories", i, sum)
			}
		}
		if slices.Equal(d.Points, train.Points) {
			t.Error("nothing was permuted")
		}
	})
	t.Run("points outside the box", func(t *testing.T) {
		d := made["uniform box"]
		for i := range d.Len() {
			inside := true
			for j := range 4 {
				values := column(train, j)
				x := d.Points[i*4+j]
				inside = inside && x >= slices.Min(values) && x <= slices.Max(values)
			}
			if inside {
				t.Errorf("point %v is in the box", d.Points[i*4:][:4])
			}
		}
	})
}

// Without an end, the box of equal points would be sampled forever.
func TestBoxOfOnePoint(t *testing.T) {
	one, err := mixedTable(t).Subset("one", []int{0, 0})
	if err != nil {
		t.Fatal(err)
	}
	_, err = one.SynthesizeOOD("uniform box", 1)
	says(t, err, "all its points are equal")
	_, err = one.SynthesizeOOD("rotated", 1)
	says(t, err, "choose one of uniform box, shifted, permuted columns")
}

// Columns that are one cannot be permuted against each other, and images of one class not be blended
// with those of another.
func TestKindsThatChangeNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "one.csv")
	if err := os.WriteFile(path, []byte("x,y\n1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n7,a\n8,b\n9,a\n10,b\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, test := open(t, "csv:"+path+"@y", Options{})
	_, err := test.SynthesizeOOD("permuted columns", 1)
	says(t, err, "choose one of uniform box, shifted")
	categories := writeFile(t, "categories.csv", []byte("x,z,y\na,c,k\nb,d,l\n"+strings.Repeat("a,d,k\nb,c,l\na,c,l\nb,d,k\n", 5)))
	_, test = open(t, "csv:"+categories+"@y", Options{})
	for _, kind := range test.OODKinds() {
		if _, err := test.SynthesizeOOD(kind, 1); err != nil {
			t.Error(err)
		}
	}
	_, err = test.SynthesizeOOD("shifted", 1)
	says(t, err, "choose one of uniform box, permuted columns")
	_, digits := open(t, "digits", Options{})
	_, ones, err := digits.HoldOutClasses("1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = ones.SynthesizeOOD("interpolated", 1)
	says(t, err, "needs images of two classes")
}

// The kinds are known by a dataset's name.
func TestOODKindsOf(t *testing.T) {
	for name, want := range map[string]string{
		"digits": "uniform noise", "folder:images@32": "uniform noise", "moons:200": "uniform box", "csv:wine.csv@class": "uniform box,shifted,permuted columns",
	} {
		if got := strings.Join(OODKindsOf(name), ","); got != want && !strings.HasPrefix(got, want+",gaussian noise,") {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
