package data

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"ngebm/data/progress"
)

// arrayOf is an array of bytes or of numbers of 8 bytes, as numpy.save writes it.
func arrayOf[T uint8 | int64](shape []int, values ...T) []byte {
	descr := "|u1"
	var raw []byte
	for _, v := range values {
		switch v := any(v).(type) {
		case uint8:
			raw = append(raw, v)
		case int64:
			descr = "<i8"
			raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
		}
	}
	return npy(descr, shape, raw...)
}

func openArrays(t *testing.T, arrays []archived) (train, test *Dataset, err error) {
	t.Helper()
	return Open(t.Context(), "npz:"+writeFile(t, "mine.npz", zipOf(t, arrays)), Options{Cache: t.TempDir()})
}

func TestNPZSplit(t *testing.T) {
	two, one := []uint8{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, []uint8{21, 22, 23, 24, 25, 26}
	for name, c := range map[string]struct {
		arrays []archived
		shape  []int
		source string
	}{
		"as MedMNIST": {[]archived{
			{"train_images.npy", arrayOf([]int{2, 2, 3}, two...)}, {"train_labels.npy", arrayOf[uint8]([]int{2, 1}, 2, 0)},
			{"val_images.npy", arrayOf([]int{1, 2, 3}, one...)}, {"val_labels.npy", arrayOf[uint8]([]int{1, 1}, 7)},
			{"test_images.npy", arrayOf([]int{1, 2, 3}, one...)}, {"test_labels.npy", arrayOf[uint8]([]int{1, 1}, 1)},
		}, []int{2, 3, 1}, "a user's arrays; without those for validation"},
		"as Keras": {[]archived{
			{"x_train.npy", arrayOf([]int{2, 1, 2, 3}, two...)}, {"y_train.npy", arrayOf[int64]([]int{2}, 2, 0)},
			{"x_test.npy", arrayOf([]int{1, 1, 2, 3}, one...)}, {"y_test.npy", arrayOf[int64]([]int{1}, 1)},
		}, []int{1, 2, 3}, "a user's arrays"},
	} {
		train, test, err := openArrays(t, c.arrays)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Equal(train.Shape, c.shape) || !slices.Equal(train.Pixels, two) || !slices.Equal(test.Pixels, one) ||
			!slices.Equal(train.Labels, []int32{2, 0}) || !slices.Equal(test.Labels, []int32{1}) || !slices.Equal(test.Classes, []string{"0", "1", "2"}) {
			t.Errorf("%s: got %v with %v, %v and %v with %v, %v", name, train, train.Pixels, train.Labels, test, test.Pixels, test.Labels)
		}
		if train.Name != "mine.npz" || train.Source != c.source || train.License != "unknown" || train.Split != "train" || test.Split != "test" {
			t.Errorf("%s: %+v", name, train.Info)
		}
	}
}

// What comes in one piece is split, a fifth of every class to test.
func TestNPZWhole(t *testing.T) {
	pixels, labels := make([]uint8, 40), make([]int64, 40)
	for i := range pixels {
		pixels[i], labels[i] = uint8(i), int64(i/10%2*3) // classes 0 and 3
	}
	file := writeFile(t, "mine.npz", zipOf(t, []archived{{"x.npy", arrayOf([]int{40, 1, 1}, pixels...)}, {"y.npy", arrayOf([]int{40}, labels...)}}))
	opts := Options{Cache: t.TempDir()}
	train, test := open(t, "npz:"+file, opts)
	if !slices.Equal(classCounts(train), []int{16, 0, 0, 16}) || !slices.Equal(classCounts(test), []int{4, 0, 0, 4}) {
		t.Errorf("%v to train and %v to test", classCounts(train), classCounts(test))
	}
	if want := "a user's arrays; split by number, a fifth of every class to test"; train.Source != want {
		t.Errorf("it comes from %q", train.Source)
	}
	for _, d := range []*Dataset{train, test} {
		for i, label := range d.Labels {
			if int64(label) != labels[d.Pixels[i]] {
				t.Errorf("pixel %d has label %d", d.Pixels[i], label)
			}
		}
	}
	told := &reports{}
	opts.Progress = told
	if again, _ := open(t, "npz:"+file, opts); again.Checksum != train.Checksum || len(told.all) != 1 {
		t.Error("it was read twice")
	}
	if !told.said("mine.npz: 2 of the 4 classes have no training example (1, 2)") {
		t.Errorf("classes without examples are not told: %v", told.all)
	}
	if scaled, _ := open(t, "npz:"+file+"@2x2x3", opts); !slices.Equal(scaled.Shape, []int{2, 2, 3}) {
		t.Errorf("got %v", scaled)
	}
}

// Images from 0 to 1 or to 16 are nearly black from 0 to 255, which is reported, each time.
func TestDarkNPZ(t *testing.T) {
	for brightest, want := range map[uint8]string{
		1:  "mine.npz: its images use less than 1/8 of the range: their largest value is 1 of 255: rescale them first if 1 is white",
		31: "mine.npz: its images use less than 1/8 of the range: their largest value is 31 of 255: rescale them first if 31 is white",
		32: "",
	} {
		file := writeFile(t, "mine.npz", zipOf(t, []archived{
			{"x_train.npy", arrayOf([]int{2, 1, 2}, 0, 1, 0, uint8(0))}, {"y_train.npy", arrayOf[int64]([]int{2}, 0, 1)},
			{"x_test.npy", arrayOf([]int{1, 1, 2}, 0, brightest)}, {"y_test.npy", arrayOf[int64]([]int{1}, 1)},
		}))
		cache := t.TempDir()
		for range 2 {
			told := &reports{}
			open(t, "npz:"+file, Options{Cache: cache, Progress: told})
			isNote := func(r progress.Report) bool { return r.Unit == "" }
			if want != "" && !told.said(want) || want == "" && slices.ContainsFunc(told.all, isNote) {
				t.Errorf("up to %d: told %v, want %q", brightest, told.all, want)
			}
		}
	}
}

func TestNPZRefuses(t *testing.T) {
	x, y := arrayOf([]int{2, 1, 2}, 1, 2, 3, uint8(4)), arrayOf[int64]([]int{2}, 0, 0)
	with := func(x, y []byte) []archived { return []archived{{"x.npy", x}, {"y.npy", y}} }
	for name, c := range map[string]struct {
		arrays []archived
		want   string
	}{
		"other names":          {[]archived{{"images.npy", x}, {"labels.npy", y}}, `it has the arrays ["images" "labels"], but needs x, y; or x_train`},
		"no labels":            {[]archived{{"x.npy", x}}, `it has the arrays ["x"], but needs x, y; or`},
		"no test labels":       {[]archived{{"x_train.npy", x}, {"y_train.npy", y}, {"x_test.npy", x}}, `it lacks the array "y_test"; it has ["x_test" "x_train" "y_train"]`},
		"floats":               {with(arrayOf[int64]([]int{2, 1, 1}, 1, 2), y), `array "x": it holds int64, not uint8: store values from 0 to 255 as uint8`},
		"channels first":       {with(arrayOf[uint8]([]int{2, 3, 1, 5}, make([]uint8, 30)...), y), `array "x": its shape is [2 3 1 5], channels first: store transpose(0, 2, 3, 1) of it`},
		"volumes":              {with(arrayOf[uint8]([]int{1, 5, 5, 5}, make([]uint8, 125)...), y), `array "x": its shape is [1 5 5 5]: want [n height width], or`},
		"rows":                 {with(arrayOf[uint8]([]int{2, 2}, 1, 2, 3, 4), y), `array "x": its shape is [2 2]: want`},
		"more labels":          {with(x, arrayOf[int64]([]int{3}, 0, 0, 0)), `array "y": its shape is [3]: for 2 images want [2] or [2 1]`},
		"labels of many":       {with(x, arrayOf[uint8]([]int{2, 2}, 0, 1, 1, 0)), `array "y": its shape is [2 2]: for`},
		"negative label":       {with(x, arrayOf[int64]([]int{2}, 0, -1)), `array "y": label 1 (from 0) is -1: labels may range from 0 to 65535`},
		"absurd label":         {with(x, arrayOf[int64]([]int{2}, 1<<40, 0)), `array "y": label 0 (from 0) is 1099511627776`},
		"labels from 1":        {with(x, arrayOf[int64]([]int{2}, 1, 2)), "the labels range from 1 to 2, but classes count from 0: store y - 1"},
		"from 1 and from 0":    {[]archived{{"x_train.npy", x}, {"y_train.npy", arrayOf[int64]([]int{2}, 1, 2)}, {"x_test.npy", x}, {"y_test.npy", y}}, "the labels of y_train range from 1 to 2, those of y_test from 0 to 0: both must count classes from 0"},
		"from 0 and from 1":    {[]archived{{"x_train.npy", x}, {"y_train.npy", arrayOf[int64]([]int{2}, 0, 1)}, {"x_test.npy", x}, {"y_test.npy", arrayOf[int64]([]int{2}, 1, 2)}}, "the labels of y_train range from 0 to 1, those of y_test from 1 to 2: both must count classes from 0"},
		"floats that are NaN":  {with(npy("<f4", []int{2, 1, 1}, 0, 0, 0xc0, 0x7f, 0, 0, 0, 0), y), `array "x": it holds float32, not uint8: store values from 0 to 255 as uint8`},
		"labels of NaN":        {with(x, npy("<f4", []int{2}, 0, 0, 0xc0, 0x7f, 0, 0, 0, 0)), `array "y": value 0 (from 0) is NaN, no whole number`},
		"labels between":       {with(x, npy("<f4", []int{2}, 0, 0, 0, 0x3f, 0, 0, 0, 0)), `array "y": value 0 (from 0) is 0.5, no whole number`},
		"a name for terminals": {append(with(x, y), archived{"\x1b]0;owned\x07.npy", x}, archived{"x_train.npy", x}), `it lacks the array "y_train"; it has ["\x1b]0;owned\a" "x"`},
		"packed too tightly":   {with(arrayOf([]int{1 << 17, 32, 32}, make([]uint8, 1<<27)...), y), `array "x" takes 128 MB, more than the 64 MB that a file of this size may unpack to: store it without compression, by numpy.savez`},
		"one of a class":       {with(x, arrayOf[int64]([]int{2}, 0, 1)), "class 0 has one example: it needs two"},
		"cut array":            {with(x[:len(x)-1], y), `array "x": it is cut short`},
		"not only arrays":      {append(with(x, y), archived{"readme.txt", nil}), `it holds "readme.txt", and an NPZ file .npy files only`},
		"different test size":  {[]archived{{"x_train.npy", x}, {"y_train.npy", y}, {"x_test.npy", arrayOf([]int{2, 1, 1}, 1, uint8(2))}, {"y_test.npy", y}}, "the images of x_train are [1 2 1], those of x_test [1 1 1]: both need the same shape"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := openArrays(t, c.arrays)
			says(t, err, c.want, "mine.npz: ")
		})
	}
	_, _, err := Open(t.Context(), "npz:nowhere.npz", Options{})
	says(t, err, "no archive at ", "nowhere.npz", "check the path")
	_, _, err = Open(t.Context(), "npz:"+writeFile(t, "mine.npz", []byte(strings.Repeat("x", 100))), Options{Cache: t.TempDir()})
	says(t, err, "it is not a whole zip file")
}
