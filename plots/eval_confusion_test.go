package plots

import (
	"fmt"
	"testing"
)

// digitsConfused is a confusion matrix of ten classes, with values that were made up.
func digitsConfused() (classes []string, counts [][]int) {
	for i := range 10 {
		classes = append(classes, fmt.Sprint(i))
		row := make([]int, 10)
		row[i] = 60 - i%4
		row[(i+3)%10] += i % 4
		counts = append(counts, row)
	}
	counts[8][1] = 21
	return classes, counts
}

func ExampleConfusion() {
	f, err := Confusion("cross-entropy", []string{"cat", "dog"}, [][]int{{48, 2}, {5, 45}})
	if err != nil {
		panic(err)
	}
	fmt.Println(f.Alt)
	// Output: Confusion matrix cross-entropy of 2 classes: 93 of 100 examples are right; most often confused are dog as cat (5), cat as dog (2).
}

func TestConfusion(t *testing.T) {
	t.Run("digits", func(t *testing.T) {
		classes, counts := digitsConfused()
		f, err := Confusion("NG-EBM β=γ=.01", classes, counts)
		golden(t, "confusion-digits", f, err)
	})
	t.Run("names", func(t *testing.T) {
		f, err := Confusion("long names, no example of one class", []string{"eosinophil granulocyte", "basophil", "<b>lymphocyte</b>"}, [][]int{{990, 8, 2}, {0, 0, 0}, {1, 300, 700}})
		golden(t, "confusion-names", f, err)
	})
}
