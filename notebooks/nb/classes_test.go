package nb

import (
	"testing"

	"ngebm/ngebm/measure"
)

// The numbers are those of scikit-learn 1.9.1's precision_recall_fscore_support; a class
// without examples has no recall, one without right answers an F1 of 0.
func TestPerClass(t *testing.T) {
	half := &measure.Report{Confusion: [][]int{{24, 1, 0}, {2, 20, 3}, {0, 0, 0}}}
	rest := &measure.Report{Confusion: [][]int{{24, 1, 0}, {3, 20, 2}, {0, 0, 0}}}
	counts, classes := Confusion([]*measure.Report{half, rest}), []string{"cat", "dog", "<b>"}
	got := Must(PerClass("both seeds", classes, counts).Text())
	const want = `both seeds
class  examples  recall  precision     F1  most often taken for
cat          50   0.960      0.906  0.932  dog (2)
dog          50   0.800      0.952  0.870  cat (5)
<b>           0       –      0.000  0.000  –
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if class, recall := Hardest(classes, counts); class != "dog" || recall != .8 {
		t.Errorf("hardest is %s, %v", class, recall)
	}
	if class, _ := Hardest(classes, [][]int{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}); class != "" {
		t.Errorf("hardest of nothing is %q", class)
	}
}
