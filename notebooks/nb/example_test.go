package nb_test

import (
	"fmt"

	"ngebm/ngebm/study"
	"ngebm/notebooks/nb"
)

// Published results as a table: a line for each method, and cross-entropy after temperature
// scaling in second place.
func ExampleResults() {
	rows := study.WithTemperature(nb.Results("cifar10-cpu").Rows("cross-entropy", "ng-ebm-paper"))
	t := nb.Metrics("CIFAR-10, means of "+study.HowMany(rows), rows,
		study.Column{Name: "accuracy", Of: study.Calibration("accuracy")},
		study.Column{Name: "ECE", Of: study.Calibration("ECE")})
	fmt.Print(nb.Must(t.Text())) // in a notebook nb.ShowTable(t)
	// Output:
	// CIFAR-10, means of 3 to 4 seeds; in brackets 95 % t-intervals over the seeds
	//                              seeds              accuracy                   ECE
	// cross-entropy                    4  0.669 [0.662, 0.675]  0.054 [0.050, 0.058]
	// cross-entropy + temperature      4  0.669 [0.662, 0.675]  0.014 [0.009, 0.020]
	// NG-EBM, paper's weights          3  0.622 [0.610, 0.634]  0.199 [0.181, 0.217]
}

// A sentence that is printed because it is true of the results.
func ExampleConclude() {
	paper := nb.Results("cifar10-cpu").Rows("ng-ebm-paper")[0]
	accuracy, confidence := study.Calibration("accuracy"), study.Calibration("mean_confidence")
	nb.Conclude(paper.Mean(confidence) < paper.Mean(accuracy),
		"With the paper's weights NG-EBM is under-confident: right in %.1f %%, it claims %.1f %%.",
		100*paper.Mean(accuracy), 100*paper.Mean(confidence))
	// Output: With the paper's weights NG-EBM is under-confident: right in 62.2 %, it claims 42.3 %.
}

// Where methods differ in how many seeds they have, the table says so.
func ExampleMetrics() {
	rows := nb.Results("cifar10-cpu").Rows("cross-entropy", "ng-ebm-paper")
	rows[1].Results = rows[1].Results[:1]
	t := nb.Metrics("CIFAR-10, "+study.HowMany(rows), rows, study.Column{Name: "accuracy", Of: study.Calibration("accuracy")})
	fmt.Print(nb.Must(t.Text()))
	// Output:
	// CIFAR-10, 1 to 4 seeds; in brackets 95 % t-intervals over the seeds
	//                          seeds              accuracy
	// cross-entropy                4  0.669 [0.662, 0.675]
	// NG-EBM, paper's weights      1                 0.619
}
