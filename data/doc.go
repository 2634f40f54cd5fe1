// Package data holds labeled examples in memory, and gets and changes them. Training,
// measuring and plotting work on [Dataset]; a dataset is named by one string everywhere
// (see [Open] and [Names]).
//
//	Open("digits", "moons:500", "cifar10", "folder:PATH@64", "csv:PATH@LABEL" …)
//	   │     embedded, generated, published (downloaded, checked, cached), or your own
//	   ▼
//	train, test ──── RandomSplit, HoldOutClasses, Subset ────► validation, held-out classes
//	   │     *Dataset: pixels in 0..MaxPixel, points or rows, labels, checksum
//	   ▼
//	NewBatches(train, size, seed, Augment) ──► Batch: float32 in [-1,1], shuffled, augmented
//	train.SynthesizeOutliers(kind, seed) ────► outliers to train on, drawn separately from OOD sets
//
//	test ──┬── SynthesizeOOD(kind, seed)      an out-of-distribution set of the same shape
//	       ├── Corrupt(kind, severity, seed)  common corruptions at severities 1 to 5
//	       └── Resize(height, width, channels)
//
//	one image file ── DecodeImage(r, shape, FitOf(name)) ──► the same float32 as in training
//
// Every random choice is a function of a seed and counters, so that results are the same on
// every machine. Datasets are not changed once built: each operation returns a new one with its
// own checksum. Files from outside are untrusted: sizes are bounded and no archive
// member or link leads out of its folder.
//
// Packages below this one: data/fetch downloads files and checks their checksums, data/format
// reads NPY, NPZ, MAT, IDX, safetensors and zip files, data/unpack reads gzip and bzip2 within
// bounds, data/tabular reads CSV and turns rows into inputs, data/files opens and replaces files
// safely, data/progress reports progress, data/plain makes text safe for a terminal, data/nearest
// suggests names, and data/testdisk is for tests.
package data
