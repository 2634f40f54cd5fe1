package data_test

import (
	"context"
	"fmt"
	"log"
	"slices"
	"strings"
	"testing"

	"ngebm/data"
)

// Digits that a model never saw in training become strangers.
func ExampleDataset_HoldOutClasses() {
	train, test, err := data.Open(context.Background(), "digits", data.Options{})
	if err != nil {
		log.Fatal(err)
	}
	train, _, err = train.HoldOutClasses("3", "8")
	if err != nil {
		log.Fatal(err)
	}
	test, strangers, err := test.HoldOutClasses("3", "8")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(train)
	fmt.Println(test)
	fmt.Println(strangers)
	// Output:
	// UCI digits without 3, 8 train: 959 examples of [8 8 1] in 8 classes
	// UCI digits without 3, 8 test: 481 examples of [8 8 1] in 8 classes
	// UCI digits, only 3, 8 test: 119 examples of [8 8 1] in 2 classes
}

func four(t *testing.T) *data.Dataset {
	t.Helper()
	d, err := data.New(data.Dataset{
		Info:  data.Info{Name: "four", Split: "test", Classes: []string{"ant", "bee", "cat", "dog"}},
		Shape: []int{1, 1, 1}, MaxPixel: 255,
		Pixels: []uint8{0, 1, 2, 3, 4, 5}, Labels: []int32{0, 1, 2, 0, 1, 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Order stays, and labels are numbered anew by the order of the classes, however
// they are asked for.
func TestHoldOutClasses(t *testing.T) {
	d := four(t)
	rest, held, err := d.HoldOutClasses("cat", "ant", "cat")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(rest.Classes, []string{"bee", "dog"}) || !slices.Equal(rest.Labels, []int32{0, 0}) || !slices.Equal(rest.Pixels, []uint8{1, 4}) {
		t.Errorf("what is left is %v with labels %v and pixels %v", rest.Classes, rest.Labels, rest.Pixels)
	}
	if !slices.Equal(held.Classes, []string{"ant", "cat"}) || !slices.Equal(held.Labels, []int32{0, 1, 0, 1}) || !slices.Equal(held.Pixels, []uint8{0, 2, 3, 5}) {
		t.Errorf("what is held out is %v with labels %v and pixels %v", held.Classes, held.Labels, held.Pixels)
	}
	if rest.Name != "four without ant, cat" || held.Name != "four, only ant, cat" || held.Checksum == rest.Checksum {
		t.Errorf("they are called %q and %q, with the checksums %s and %s", rest.Name, held.Name, rest.Checksum, held.Checksum)
	}
	if again, err := data.New(*held); err != nil || again.Checksum != held.Checksum {
		t.Errorf("the checksum %s is not of what was held out: %v", held.Checksum, err)
	}
}

func TestHoldOutClassesRefuses(t *testing.T) {
	d := four(t)
	for _, c := range []struct {
		names []string
		want  string
	}{
		{nil, "no class of four is named: name at least one to hold out; its classes are ant, bee, cat, dog"},
		{[]string{"ant", "owl"}, `four has no class "owl" to hold out; its classes are ant, bee, cat, dog`},
		{[]string{"ant", "bee", "cat", "dog"}, "all 4 classes of four are named: leave at least one"},
		{[]string{"dog"}, "four test has no examples of dog"},
		{[]string{"ant", "bee", "cat"}, "four test has no examples of dog"},
	} {
		_, _, err := d.HoldOutClasses(c.names...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("holding out %q gives %v, want %q", c.names, err, c.want)
		}
	}
}

// The first examples of a set that is sorted by class are of one class; a sample is not.
func TestSample(t *testing.T) {
	d, err := four(t).Subset("test", []int{0, 3, 1, 4, 2, 5})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int32]bool{}
	for seed := range uint64(20) {
		drawn, err := d.Sample(2, seed)
		if err != nil || drawn.Len() != 2 || drawn.Split != "test" {
			t.Fatalf("%v (%v)", drawn, err)
		}
		seen[drawn.Labels[0]], seen[drawn.Labels[1]] = true, true
	}
	if len(seen) != 3 {
		t.Errorf("classes %v of 3", seen)
	}
	if first, err := four(t).Sample(2, 1); err != nil || !slices.Equal(first.Pixels, []uint8{0, 1}) {
		t.Errorf("of a set that is not sorted: %v (%v)", first, err)
	}
	falling, err := four(t).Subset("test", []int{2, 5, 0, 3, 1, 4})
	if err != nil {
		t.Fatal(err)
	}
	clear(seen)
	for seed := range uint64(20) {
		drawn, err := falling.Sample(2, seed)
		if err != nil {
			t.Fatal(err)
		}
		seen[drawn.Labels[0]], seen[drawn.Labels[1]] = true, true
	}
	if len(seen) != 3 {
		t.Errorf("of classes one after the other, in no order: %v of 3", seen)
	}
	if whole, err := d.Sample(9, 1); err != nil || whole.Len() != 6 {
		t.Errorf("%v (%v)", whole, err)
	}
}
