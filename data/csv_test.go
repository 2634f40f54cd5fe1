package data

import (
	"bytes"
	"compress/gzip"
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ngebm/data/progress"
)

const people = "age,color,class\n31,red,yes\n45,blue,no\n22,red,yes\n60,green,no\n38,blue,yes\n"

func openTable(t *testing.T, name string) (train, test *Dataset) {
	t.Helper()
	train, test, err := Open(context.Background(), "csv:"+name, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return train, test
}

func writeFiles(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// The tables are those of scikit-learn 1.9.1: load_wine and load_breast_cancer.
func TestTables(t *testing.T) {
	for file, want := range map[string]struct {
		train, test, inputs int
		classes             []string
	}{
		"wine.csv":          {142, 36, 13, []string{"class_0", "class_1", "class_2"}},
		"breast_cancer.csv": {456, 113, 30, []string{"benign", "malignant"}},
	} {
		train, test := openTable(t, "testdata/tables/"+file+"@class")
		if train.Len() != want.train || test.Len() != want.test || !slices.Equal(train.Shape, []int{want.inputs}) || !slices.Equal(test.Classes, want.classes) || train.Name != file {
			t.Errorf("%s, %s: want %+v", train, test, want)
		}
		if train.Encoder == nil || train.Encoder != test.Encoder {
			t.Errorf("encoders %p and %p", train.Encoder, test.Encoder)
		}
		for j := range want.inputs {
			var sum, squares float64
			for i := range train.Len() {
				x := float64(train.Points[i*want.inputs+j])
				sum, squares = sum+x, squares+x*x
			}
			if n := float64(train.Len()); math.Abs(sum/n) > 1e-6 || math.Abs(squares/n-1) > 1e-5 {
				t.Errorf("%s: input %d of the training rows has mean %v and mean square %v", file, j, sum/n, squares/n)
			}
		}
	}
}

// The split does not depend on the order of the rows, nor on limits and seeds.
func TestTableSplitByContent(t *testing.T) {
	content, err := os.ReadFile("testdata/tables/wine.csv")
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(string(content)), "\n")
	slices.Reverse(rows[1:])
	folder := t.TempDir()
	writeFiles(t, folder, map[string]string{"wine.csv": strings.Join(rows, "\n")})
	sorted := func(d *Dataset) []float32 {
		points := slices.Clone(d.Points)
		slices.Sort(points)
		return points
	}
	_, test := openTable(t, "testdata/tables/wine.csv@class")
	_, reversed := openTable(t, folder+"/wine.csv@14")
	for i, x := range sorted(test) { // the mean of another order differs in its last bits
		if y := sorted(reversed)[i]; math.Abs(float64(x-y)) > 1e-5 {
			t.Fatalf("%v became %v", x, y)
		}
	}
	limited, _, err := Open(context.Background(), "csv:testdata/tables/wine.csv@class", Options{Limit: 20, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	if whole, _ := openTable(t, "testdata/tables/wine.csv@class"); limited.Len() != 20 || !bytes.Equal(limited.Encoder.JSON(), whole.Encoder.JSON()) {
		t.Errorf("%s is standardized by other rows than %s", limited, whole)
	}
}

// Train and test files in two ways, and compressed.
func TestTablesInTwoFiles(t *testing.T) {
	folder := t.TempDir()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(people)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	writeFiles(t, folder, map[string]string{"train.csv": people, "people.csv.gz": packed.String(),
		"test.csv": "class,note,color,age\nno,-,red,31\nyes,-,blue,45\n"})
	train, test := openTable(t, folder+"@class")
	other, otherTest := openTable(t, folder+"/people.csv.gz,"+folder+"/test.csv@3")
	if train.Checksum != other.Checksum || test.Checksum != otherTest.Checksum {
		t.Errorf("%s %s is not %s %s", train, train.Checksum, other, other.Checksum)
	}
	if train.Len() != 5 || !slices.Equal(test.Labels, []int32{0, 1}) || !slices.Equal(test.Points[:4], train.Points[:4]) {
		t.Errorf("%s %v, %s %v %v", train, train.Points, test, test.Labels, test.Points)
	}
}

// A notice names the columns that are left out.
func TestConstantColumns(t *testing.T) {
	folder, told := t.TempDir(), &reports{}
	table := "age,floor,class\n31,1,yes\n45,1,no\n"
	writeFiles(t, folder, map[string]string{"train.csv": table, "test.csv": table})
	if _, _, err := Open(t.Context(), "csv:"+folder+"@class", Options{Progress: told}); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(told.all, func(r progress.Report) bool {
		return r.Unit == "" && r.Finished && strings.HasSuffix(r.Task, ": columns left out because they are constant in the training rows: floor")
	}) {
		t.Errorf("reported is %+v", told.all)
	}
}

// Links in a folder are followed within it; a table that the user names may be one.
func TestTableFollowsLinks(t *testing.T) {
	parent := t.TempDir()
	folder := filepath.Join(parent, "outsider's")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	writeFiles(t, parent, map[string]string{"private.csv": people})
	writeFiles(t, folder, map[string]string{"people.csv": people})
	link(t, "people.csv", filepath.Join(folder, "train.csv"))
	link(t, "people.csv", filepath.Join(folder, "test.csv"))
	named := filepath.Join(parent, "named")
	link(t, folder, named)
	for _, name := range []string{folder, named, named + "/train.csv," + named + "/test.csv"} {
		if train, test := openTable(t, name+"@class"); train.Len() != 5 || test.Len() != 5 {
			t.Errorf("%s: %v and %v", name, train, test)
		}
	}
	for _, file := range []string{"test.csv", "train.csv"} {
		for _, target := range []string{"../private.csv", filepath.Join(parent, "private.csv")} {
			if err := os.Remove(filepath.Join(folder, file)); err != nil {
				t.Fatal(err)
			}
			link(t, target, filepath.Join(folder, file))
			_, _, err := Open(t.Context(), "csv:"+folder+"@class", Options{})
			says(t, err, file, "leads to", "path escapes from parent", "copy the target into the folder")
		}
	}
	link(t, "../private.csv", filepath.Join(folder, "own.csv"))
	if err := os.Remove(filepath.Join(folder, "train.csv")); err != nil {
		t.Fatal(err)
	}
	link(t, "none.csv", filepath.Join(folder, "train.csv"))
	_, _, err := Open(t.Context(), "csv:"+folder+"@class", Options{})
	says(t, err, `"train.csv" leads to "none.csv": no such file or directory: check the path`)
	if train, _ := openTable(t, folder+"/own.csv@class"); train.Len() == 0 {
		t.Error("a link that the user names is not followed")
	}
}

// Rows that differ only by how they were standardized are other data.
func TestTableChecksumCoversEncoder(t *testing.T) {
	folder := t.TempDir()
	writeFiles(t, folder, map[string]string{
		"a.csv": "x,y\n1.5,a\n2.5,b\n1.5,a\n2.5,b\n", "b.csv": "x,y\n10.5,a\n11.5,b\n10.5,a\n11.5,b\n",
	})
	a, _ := openTable(t, folder+"/a.csv@y")
	b, _ := openTable(t, folder+"/b.csv@y")
	if !slices.Equal(a.Points, b.Points) || a.Checksum == b.Checksum {
		t.Errorf("%v %s and %v %s", a.Points, a.Checksum, b.Points, b.Checksum)
	}
}

// What belongs to images is refused, and the rest works.
func TestRowsAreNoImages(t *testing.T) {
	train, _ := openTable(t, "testdata/tables/wine.csv@class")
	_, err := NewBatches(train, 8, 1, Augment{Pad: 2})
	says(t, err, "padding, flips and cutout are for images")
	_, err = train.Corrupt("gaussian noise", 1, 1)
	says(t, err, "images")
	_, err = train.Resize(8, 8, 1)
	says(t, err, "cannot be resized")
	if _, err = NewBatches(train, 8, 1, Augment{Noise: .1, Mixup: .2}); err != nil {
		t.Error(err)
	}
	part, err := train.Subset("part", []int{3, 1})
	if err != nil || part.Encoder != train.Encoder {
		t.Errorf("the encoder of a subset is %p, want %p (%v)", part.Encoder, train.Encoder, err)
	}
}

func TestTableErrors(t *testing.T) {
	folder := t.TempDir()
	writeFiles(t, folder, map[string]string{
		"train.csv": people, "pink.csv": "age,color,class\n31,pink,yes\n", "maybe.csv": "age,color,class\n31,red,maybe\n", "unlabeled.csv": "age,color\n31,red\n",
		"single.csv": people + "1,red,perhaps\n", "missing.csv": "age,class\n1,a\n,b\n",
	})
	in := func(name string) string { return filepath.Join(folder, name) }
	for name, want := range map[string]string{
		in("train.csv"):                                        "write csv:PATH@LABEL",
		in("train.csv") + "@":                                  "write csv:PATH@LABEL",
		in("train.csv") + "@clas":                              `no column is named "clas" (did you mean class?)`,
		in("none.csv") + "@class":                              "no table at " + in("none.csv"),
		in("train.csv") + "," + in("none.csv") + "@class":      `data: no table: "` + in("none.csv") + `": no such file`,
		folder + "@class":                                      `data: no table: "` + in("test.csv") + `": no such file`,
		in("train.csv") + "," + in("pink.csv") + "@class":      `line 2: column "color" has the unknown category "pink"`,
		in("train.csv") + "," + in("maybe.csv") + "@class":     `line 2: column "class" has "maybe", which is no class of the training file`,
		in("train.csv") + "," + in("unlabeled.csv") + "@class": `line 1 has no column "class"`,
		in("single.csv") + "@class":                            "class perhaps has one example",
		in("missing.csv") + "@class":                           `missing.csv: line 3: column "age" has no value`,
	} {
		_, _, err := Open(context.Background(), "csv:"+name, Options{})
		says(t, err, want)
	}
	_, _, err := Open(context.Background(), in("train.csv")+"@class", Options{})
	says(t, err, "(for the table write csv:"+in("train.csv")+"@LABEL)")
}
