package data

import (
	"context"
	_ "embed"
)

// digitsFile holds 1,797 records of 64 pixels and the digit; digits/README.md
// has its source.
//
//go:embed digits/digits.bin
var digitsFile string

const (
	digitsPixels = 8 * 8
	digitsTest   = 600
)

// openDigits returns the UCI digits in a split made here: 600 test examples, drawn at random and
// stratified by class, always the same. The data are those of scikit-learn, which are one part of
// the original (its test part, by 13 writers). So results are not comparable with other splits,
// and the test set does not measure generalization to new writers.
func openDigits(context.Context, string, Options) (train, test *Dataset, err error) {
	all := Dataset{
		Info: Info{
			Name:    "UCI digits",
			Source:  "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998, doi:10.24432/C50P49 (test part, as in scikit-learn; changed in form)",
			License: "CC-BY-4.0",
			Classes: []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
		},
		Shape:    []int{8, 8, 1},
		MaxPixel: 16,
	}
	for r := digitsFile; r != ""; r = r[digitsPixels+1:] {
		all.Pixels = append(all.Pixels, r[:digitsPixels]...)
		all.Labels = append(all.Labels, int32(r[digitsPixels]))
	}
	d, err := New(all)
	if err != nil {
		return nil, nil, err
	}
	return d.splitAt(stratifiedOrder(d.Labels, len(d.Classes)), digitsTest, "train", "test")
}
