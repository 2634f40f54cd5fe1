package nb

import (
	"slices"

	"gonum.org/v1/gonum/stat"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/environment"
)

// Open opens a dataset by its name, as in digits, folder:PATH or cifar10. `ngebm train
// -list` shows the names.
func Open(name string) (train, test *data.Dataset) {
	return OpenWith(name, data.Options{})
}

// OpenWith is [Open] with options; the folder of downloads, whether they are allowed, and
// the display of progress are the notebooks' own.
func OpenWith(name string, options data.Options) (train, test *data.Dataset) {
	own := environment.Data(Progress())
	options.Cache, options.Offline, options.Progress = own.Cache, own.Offline, own.Progress
	train, test, err := data.Open(Context(), name, options)
	Check(err)
	return train, test
}

// First returns the first n examples of a set.
func First(set *data.Dataset, n int) *data.Dataset {
	indices := make([]int, n)
	for i := range indices {
		indices[i] = i
	}
	return Must(set.Subset(set.Split, indices))
}

// Accuracy is the share of a run's test set that it is right about.
func Accuracy(run *ngebm.Run) float64 { return Must(run.Classifier.Accuracy(Context(), run.Test)) }

// Confidences are the probabilities of the predicted classes, example by example.
func Confidences(run *ngebm.Run, set *data.Dataset) []float64 {
	var confidences []float64
	for _, p := range Must(run.Classifier.Probabilities(Context(), set)) {
		confidences = append(confidences, slices.Max(p))
	}
	return confidences
}

// Predictions are the classes with the largest logits, example by example.
func Predictions(run *ngebm.Run, set *data.Dataset) []int32 {
	var classes []int32
	for _, f := range Must(run.Classifier.Logits(Context(), set)) {
		classes = append(classes, int32(slices.Index(f, slices.Max(f))))
	}
	return classes
}

// MeanConfidence is the mean of [Confidences].
func MeanConfidence(run *ngebm.Run, set *data.Dataset) float64 {
	return stat.Mean(Confidences(run, set), nil)
}

// MeanEnergy is the mean of E(x) over a set.
func MeanEnergy(run *ngebm.Run, set *data.Dataset) float64 {
	return stat.Mean(Must(run.Classifier.Energies(Context(), set)), nil)
}

// EnergyDeviation is the standard deviation of E(x) over a set.
func EnergyDeviation(run *ngebm.Run, set *data.Dataset) float64 {
	return stat.StdDev(Must(run.Classifier.Energies(Context(), set)), nil)
}

// MeanGradientNorm is the mean of ‖∂E/∂x‖ over a set.
func MeanGradientNorm(run *ngebm.Run, set *data.Dataset) float64 {
	return stat.Mean(Must(run.Classifier.GradientNorms(Context(), set)), nil)
}
