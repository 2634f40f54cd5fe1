package data

import "testing"

// Partners of a large class are all examples of the others, about as often each, and not the one that
// follows the class where examples are in the order of classes.
func TestInterpolatedPartners(t *testing.T) {
	const n = 200 // with 180 of the first class
	d := Dataset{Info: Info{Name: "two", Classes: []string{"a", "b"}}, Shape: []int{1, 1, 1}, MaxPixel: 255, Pixels: make([]uint8, n), Labels: make([]int32, n)}
	for i := 180; i < n; i++ {
		d.Labels[i], d.Pixels[i] = 1, uint8(i)
	}
	two, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[int]int{}
	for i := range 180 {
		counts[otherClass(two, i, stream(forOOD, 1, uint64(i), 0))]++
	}
	for j, count := range counts {
		if two.Labels[j] != 1 || count > 30 { // 9 on average
			t.Errorf("example %d, of class %d, is the partner of %d of 180", j, two.Labels[j], count)
		}
	}
	if len(counts) < 18 {
		t.Errorf("%d of 20 examples are partners", len(counts))
	}
}
