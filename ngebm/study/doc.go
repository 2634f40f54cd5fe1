// Package study trains many runs, evaluates each, and selects.
//
// One engine does the work for all studies:
//
//	Method + seed ─► Config ─► train or load ─► evaluate ─► table or file
//
//	Sweep.Run   a Grid of settings, evaluated on validation data ─► SweepTable: Best, Pareto
//	Selection   a list of settings, evaluated the same way       ─► Outcome: the best one
//	Compare     Methods, measured on test data                   ─► Compared: runs, reports
//	Plan.Run    Methods, one of them Selected, test data         ─► Results: a file
//	Merge       Results of several machines                      ─► Results
//
// Whatever selects sees a run without its test set (ngebm.Run.WithoutTest) and returns
// [Metric] values; [Validation] has the usual ones. Finished runs and their evaluations are
// stored in the folders of the runs, so that every study resumes where it was interrupted.
// Contexts stop a study; signals are left to the program.
//
// What was measured is read by metrics, over the seeds: [Rows] and [Results.Rows] return a
// [Row] for each method, from which a [MetricOf] reads numbers, and package plots
// makes figures; [Shifts] does the same under corruptions.
//
// Results that are part of this repository are in package study/published.
package study
