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
	// CIFAR-10, means of 5 seeds; in brackets 95 % t-intervals over the seeds
	//                                          accuracy                   ECE
	// cross-entropy                0.669 [0.665, 0.674]  0.055 [0.051, 0.060]
	// cross-entropy + temperature  0.669 [0.665, 0.674]  0.014 [0.011, 0.019]
	// NG-EBM, paper's weights      0.624 [0.618, 0.629]  0.200 [0.193, 0.207]
}

// A sentence that is printed because it is true of the results.
func ExampleConclude() {
	paper := nb.Results("cifar10-cpu").Rows("ng-ebm-paper")[0]
	accuracy, confidence := study.Calibration("accuracy"), study.Calibration("mean_confidence")
	nb.Conclude(paper.Mean(confidence) < paper.Mean(accuracy),
		"With the paper's weights NG-EBM is under-confident: right in %.1f %%, it claims %.1f %%.",
		100*paper.Mean(accuracy), 100*paper.Mean(confidence))
	// Output: With the paper's weights NG-EBM is under-confident: right in 62.4 %, it claims 42.4 %.
}

// Where methods differ in how many seeds they have, the table says so.
func ExampleMetrics() {
	rows := nb.Results("cifar10-cpu").Rows("cross-entropy", "ng-ebm-paper")
	rows[1].Results = rows[1].Results[:1]
	t := nb.Metrics("CIFAR-10, "+study.HowMany(rows), rows, study.Column{Name: "accuracy", Of: study.Calibration("accuracy")})
	fmt.Print(nb.Must(t.Text()))
	// Output:
	// CIFAR-10, 1 to 5 seeds; in brackets 95 % t-intervals over the seeds
	//                          seeds              accuracy
	// cross-entropy                5  0.669 [0.665, 0.674]
	// NG-EBM, paper's weights      1                 0.619
}
