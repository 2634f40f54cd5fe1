// Package plots draws the results of this module with gonum/plot: results in, figures
// out.
//
//	ngebm.History, ngebm.Samples ──────────────┐
//	a model, evaluated by EnergyGrid,          │
//	  FeatureGrid, ImagePlaneGrid, EnergyAlong ┤   History, Landscapes,   ┌─ Save, PNG, PDF, SVG
//	calibration, ood and attack reports ───────┼─▶ Reliability, ROC … ──▶ Figure
//	data.Dataset (images, points) ─────────────┤   one function a figure  ├─ WithSource, SideBySide
//	study.SweepTable ──────────────────────────┤                          └─ Animate ─▶ GIF
//	plain numbers: Estimate, Scores, Term … ───┘
//
// Each function takes plain results and returns a [Figure], or an error that says which
// value cannot be drawn. Nothing is printed or shown: package ngebm/plots/notebook shows
// figures in a notebook. Most results are structs of slices, so that those of other
// programs can be drawn; [Model] and [InputModel] are what a landscape needs of a model.
//
// For what package study compares, a function prepares what a figure takes: [RangePanel] and
// [MeanPanel] for [Summary], [FirstSeeds] for [Reliability], [AttackPanel] for [Robustness],
// [ShiftPanels] for [Severities].
//
// One theme serves all: readable at a notebook's width and in print, with colors that
// color-blind readers can distinguish. A result has a name and may have a color; without
// one, the figure chooses by order. The methods of package study have colors, so that
// a method looks the same everywhere.
//
// # Files
//
// There is one file for each figure, and its prefix says what it shows:
//
//	landscape_  E(x) over the plane or along a line: map, table, profile, imageplane,
//	            features (two columns of a table), and what they are made of (grid, bands,
//	            regions, arrows, chains)
//	training_   how training went: history, learning (with its landscape), terms (live)
//	eval_       measured quality: reliability, confusion, risk, detection, scores, robustness,
//	            severity, summary, tradeoff, bars; and rows, which takes them from package study
//	image_      images of a dataset: grid, table, shifted (corruptions, OOD), adversarial, samples
//	sweep_      tables of a sweep: weightmap, pareto
//
// What all share is in figure.go, figuregrid.go (panels with legend and caption),
// layout.go, theme.go, method.go (colors and dashes), source.go, animation.go and
// vector.go (PDF and SVG). Golden images in testdata show each figure.
package plots
