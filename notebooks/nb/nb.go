// Package nb has what every notebook of this folder repeats. Each cell is a separate
// program, which ends after it has printed. So these helpers end the cell if something
// fails, and what they remember lasts as long as the cell.
//
//	run := nb.Train(nb.Preset("digits", "ng-ebm", ""))                    trains, or loads what is stored
//	accuracy := nb.Must(run.Classifier.Accuracy(nb.Context(), run.Test))  the value, or the end of the cell
//	nb.Show(plots.Landscapes(plots.OwnScale, landscape))                  a figure, and the data in it
//	nb.ShowTable(nb.Metrics("means of 3 seeds", rows, columns...))         a table
//	nb.Conclude(accuracy > .9, "accuracy %.3f", accuracy)                 a sentence that is checked
//
// In a package of your own, handle errors instead, and pass a device and a context on.
package nb

import (
	"fmt"
	"os"

	_ "ngebm/ngebm/device/heap" // less memory in cells that train for long
)

// Must returns the value of a call that may fail. If it failed, Must prints the error and
// ends the cell.
//
//	accuracy := nb.Must(run.Classifier.Accuracy(nb.Context(), run.Test))
func Must[T any](value T, err error) T {
	Check(err)
	return value
}

// Check ends the cell with an error's one line, if there is an error.
func Check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Conclude prints a sentence, as [fmt.Printf] does, if the numbers bear it out, and fails
// the cell if they do not: no text of a notebook says what its run did not show.
func Conclude(holds bool, sentence string, args ...any) {
	if !holds {
		fmt.Fprintf(os.Stderr, "conclusion no longer holds: "+sentence+"\n", args...)
		os.Exit(1)
	}
	fmt.Printf(sentence+"\n", args...)
}
