package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func open(t testing.TB, name string, opts Options) (train, test *Dataset) {
	t.Helper()
	train, test, err := Open(context.Background(), name, opts)
	if err != nil {
		t.Fatal(err)
	}
	return train, test
}

func classCounts(d *Dataset) []int {
	counts := make([]int, len(d.Classes))
	for _, label := range d.Labels {
		counts[label]++
	}
	return counts
}

func TestOpenRefuses(t *testing.T) {
	here := t.TempDir()
	t.Chdir(here)
	if err := errors.Join(os.Mkdir("decoded", 0o755), os.Mkdir("photos@2024", 0o755), os.Mkdir("icons@2x", 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"archive@64", "decoded.tar", "photos.zip", "arrays.npz"} {
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name  string
		limit int
		want  []string
	}{
		{"mnist-c", 0, []string{`no dataset is called "mnist-c"`, "the names are digits, moons[:N]", "cifar10", "folder:PATH", "tar:PATH", "@SIZE after the name of an image dataset resizes it"}},
		{"photos.zip@64", 0, []string{`no dataset is called "photos.zip"`, "for the file write zip:photos.zip"}},
		{"photos.zip", 0, []string{"for the file write zip:photos.zip"}},
		{"arrays.npz", 0, []string{"for the file write npz:arrays.npz"}},
		{"", 0, []string{`no dataset is called ""`}},
		{"moon", 0, []string{"did you mean moons[:N]?"}},
		{"cifar-10", 0, []string{"did you mean cifar10?"}},
		{"decoded", 0, []string{"for the folder write folder:decoded"}},
		{"decoded.tar", 0, []string{"for the file write tar:decoded.tar"}},
		{"digits", -5, []string{"the limit on training examples is -5", "or 0 for all"}},
		{"digits:5", 0, []string{`"digits" takes no argument`}},
		{"moons:", 0, []string{"write moons[:N]"}},
		{"moons:many", 0, []string{`"many" is not a number of points for moons: write moons:N with N from 2 to`}},
		{"pinwheel:4", 0, []string{"N from 5 to"}},
		{"moons:99999999999999999999", 0, []string{"N from 2 to 10000000"}},
		{"folder", 0, []string{"write folder:PATH"}},
		{"tar:", 0, []string{"write tar:PATH"}},
		{"folder:nowhere", 0, []string{"no image folder at " + filepath.Join(here, "nowhere"), "check the path"}},
		{"folder:photos@2024", 0, []string{"no image folder at " + filepath.Join(here, "photos") + ": ", "photos@2024 is there, but @2024 was taken for a size: write folder:photos@2024/"}},
		{"folder:icons@2x", 0, []string{`"folder:icons@2x" has no valid size`, "icons@2x is there, but @2x was taken for a size: write folder:icons@2x/"}},
		{"folder:photos@2024/", 0, []string{filepath.Join(here, "photos@2024") + ": it has no"}},
		{"tar:archive@64", 0, []string{"archive@64 is there, but @64 was taken for a size: write tar:archive@64/"}},
		{"npz:archive@64/", 0, []string{filepath.Join(here, "archive@64") + ": it is not a whole zip file"}},
		{"folder:decoded.tar", 0, []string{"is a file, not a folder", "write tar:decoded.tar or zip:decoded.tar"}},
		{"tar:nowhere", 0, []string{"no archive at " + filepath.Join(here, "nowhere")}},
		{"tar:decoded", 0, []string{"is a folder, not an archive", "write folder:decoded"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := Open(context.Background(), c.name, Options{Limit: c.limit, Cache: t.TempDir()})
			says(t, err, c.want...)
		})
	}
}

// Ctrl-C also stops what follows the reading.
func TestOpenStopsWhileItResizes(t *testing.T) {
	enough := errors.New("enough")
	ctx, stop := context.WithCancelCause(t.Context())
	read := source{name: "made", open: func(context.Context, string, Options) (train, test *Dataset, err error) {
		stop(enough)
		return images(t, 4, 2, 2, 1), images(t, 2, 2, 2, 1), nil
	}}
	_, _, err := Open(ctx, "made@3", Options{published: []source{read}})
	says(t, err, "stopped while made@3 was read: enough")
	if !errors.Is(err, enough) {
		t.Errorf("the error is %v", err)
	}
}

// The file is the one digits/README.md describes. Class counts by
// zcat digits.csv.gz | cut -d, -f65 | sort -n | uniq -c.
func TestDigitsFile(t *testing.T) {
	sum := sha256.Sum256([]byte(digitsFile))
	if got, want := hex.EncodeToString(sum[:]), "68aea062d35a127749050fa0e52dca09d6569ac08092c925610e0954e172dde2"; got != want {
		t.Errorf("SHA-256 %s, want %s", got, want)
	}
	train, test := open(t, "digits", Options{})
	trainCounts, testCounts := classCounts(train), classCounts(test)
	for digit, want := range []int{178, 182, 177, 183, 181, 182, 181, 179, 174, 180} {
		if got := trainCounts[digit] + testCounts[digit]; got != want {
			t.Errorf("%d images of %d, want %d", got, digit, want)
		}
		if share := float64(testCounts[digit]) / float64(want); math.Abs(share-600./1797) > .006 {
			t.Errorf("%.3f of the images of %d are for testing, want about a third", share, digit)
		}
	}
}

// The split, which every figure rests on, stays as it was first drawn: the sums
// are those of that draw.
func TestDigitsSplit(t *testing.T) {
	train, test := open(t, "digits", Options{Seed: 7})
	if train.Len() != 1197 || test.Len() != 600 {
		t.Errorf("%d to train and %d to test, want 1197 and 600", train.Len(), test.Len())
	}
	for _, c := range []struct {
		d     *Dataset
		split string
		sum   string
	}{
		{train, "train", "a300448c68f4835b2bd76ee87785262c9df64d77a1646d767fde80ea211e263f"},
		{test, "test", "f8d3e063985f6e2df5f38969a45e0b280d6a54f41993fc871024d6bcd8d7ab1c"},
	} {
		if c.d.Split != c.split || c.d.Checksum != c.sum {
			t.Errorf("%v has checksum %s, want %s", c.d, c.d.Checksum, c.sum)
		}
		if c.d.License != "CC-BY-4.0" || c.d.Lossy {
			t.Errorf("%v has the wrong provenance: %+v", c.d, c.d.Info)
		}
	}
}

func TestLimit(t *testing.T) {
	whole, wholeTest := open(t, "digits", Options{})
	small, _ := open(t, "digits", Options{Limit: 100})
	large, test := open(t, "digits", Options{Limit: 200, Seed: 3})
	if small.Len() != 100 || large.Len() != 200 {
		t.Fatalf("limits of 100 and 200 gave %d and %d", small.Len(), large.Len())
	}
	if test.Checksum != wholeTest.Checksum {
		t.Error("the limit touched the test set")
	}
	if !slices.Equal(large.Labels[:100], small.Labels) || !slices.Equal(large.Pixels[:len(small.Pixels)], small.Pixels) {
		t.Error("a limit of 100 is not a part of a limit of 200")
	}
	if slices.Equal(small.Labels, whole.Labels[:100]) {
		t.Error("the limit took the first examples, not drawn ones")
	}
	for digit, n := range classCounts(small) {
		if n < 9 || n > 11 {
			t.Errorf("%d of 100 images show a %d, want about 10", n, digit)
		}
	}
	for _, limit := range []int{1197, 5000} {
		if all, _ := open(t, "digits", Options{Limit: limit}); all.Checksum != whole.Checksum {
			t.Errorf("a limit of %d did not give all", limit)
		}
	}
}

// An unequal set keeps its proportions.
func TestStratifiedOrder(t *testing.T) {
	labels := make([]int32, 1000) // 900 of class 0, 100 of class 1
	for i := 900; i < 1000; i++ {
		labels[i] = 1
	}
	ones := 0
	for n, i := range stratifiedOrder(labels, 2) {
		ones += int(labels[i])
		if want := float64(n+1) / 10; math.Abs(float64(ones)-want) > 1 {
			t.Fatalf("the first %d hold %d of the rare class, want about %.1f", n+1, ones, want)
		}
	}
}

func TestRandomSplit(t *testing.T) {
	all, _ := open(t, "digits", Options{})
	rest, held, err := all.RandomSplit(200, 1, "train", "validation")
	if err != nil {
		t.Fatal(err)
	}
	if rest.Len() != 997 || held.Len() != 200 || rest.Split != "train" || held.Split != "validation" {
		t.Errorf("got %v and %v", rest, held)
	}
	// Together they are the whole again: count each image by its bytes.
	balance := map[string]int{}
	count := func(d *Dataset, by int) {
		for i := range d.Len() {
			balance[string(append(d.Pixels[i*64:(i+1)*64:(i+1)*64], uint8(d.Labels[i])))] += by
		}
	}
	count(all, 1)
	count(rest, -1)
	count(held, -1)
	for _, n := range balance {
		if n != 0 {
			t.Fatal("the two parts are not the whole")
		}
	}
	_, again, _ := all.RandomSplit(200, 1, "train", "validation")
	_, other, _ := all.RandomSplit(200, 2, "train", "validation")
	if again.Checksum != held.Checksum || other.Checksum == held.Checksum {
		t.Error("the draw does not follow the seed")
	}
	for _, n := range []int{-1, 0, 1197, 5000} {
		_, _, err := all.RandomSplit(n, 1, "train", "validation")
		says(t, err, "of the 1197 examples of UCI digits", "give a number from 1 to 1196")
	}
}

func TestCacheFolder(t *testing.T) {
	base := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", base)
	t.Setenv("HOME", base)
	t.Setenv("NGEBM_DATA", filepath.Join(base, "by variable")) // a program's affair
	byDefault, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	for want, opts := range map[string]Options{
		filepath.Join(base, "by option"):          {Cache: filepath.Join(base, "by option")},
		filepath.Join(byDefault, "ngebm", "data"): {},
	} {
		got, err := opts.CacheFolder()
		if info, statErr := os.Stat(want); err != nil || got != want || statErr != nil || !info.IsDir() {
			t.Errorf("got %s (%v, %v), want %s", got, err, statErr, want)
		}
	}
	if err := os.WriteFile(filepath.Join(base, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = Options{Cache: filepath.Join(base, "file", "below")}.CacheFolder()
	says(t, err, "cannot be made", "set NGEBM_DATA to another")
}
