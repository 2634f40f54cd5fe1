package data_test

import (
	"context"
	"fmt"
	"log"

	"ngebm/data"
)

func ExampleOpen() {
	train, test, err := data.Open(context.Background(), "digits", data.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(train)
	fmt.Println(test)
	fmt.Println(train.License)
	// Output:
	// UCI digits train: 1197 examples of [8 8 1] in 10 classes
	// UCI digits test: 600 examples of [8 8 1] in 10 classes
	// CC-BY-4.0
}

// A name that is none gets the names there are.
func ExampleOpen_unknown() {
	_, _, err := data.Open(context.Background(), "circle", data.Options{})
	fmt.Println(err)
	// Output:
	// data: no dataset is called "circle" (did you mean circles[:N]?); the names are digits, moons[:N], circles[:N], spirals[:N], pinwheel[:N], checkerboard[:N], eight-gaussians[:N], cifar10, cifar100, cifar100-coarse, svhn, mnist, fashion-mnist, kmnist, cifar10-c:KIND[/SEVERITY], cifar100-c:KIND[/SEVERITY], medmnist:NAME, folder:PATH, tar:PATH, zip:PATH, npz:PATH, csv:PATH@LABEL, celeba[:PATH]; @SIZE after the name of an image dataset resizes it
}

// Validation examples are held out of the training set; the test set stays for
// the end.
func ExampleDataset_RandomSplit() {
	train, _, err := data.Open(context.Background(), "moons:300", data.Options{Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	train, validation, err := train.RandomSplit(50, 1, "train", "validation")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(train)
	fmt.Println(validation)
	// Output:
	// moons train: 250 examples of [2] in 2 classes
	// moons validation: 50 examples of [2] in 2 classes
}

// Taking up a run at step 100 gives the batches it would have had anyway.
func ExampleBatches_From() {
	train, _, err := data.Open(context.Background(), "digits", data.Options{})
	if err != nil {
		log.Fatal(err)
	}
	batches, err := data.NewBatches(train, 64, 42, data.Augment{Noise: .03})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(batches.StepsPerEpoch(), "steps an epoch")
	for step, batch := range batches.From(context.Background(), 100) {
		fmt.Println(step, len(batch.X), batch.X[0] == batches.At(step).X[0])
		if step == 102 {
			break
		}
	}
	// Output:
	// 18 steps an epoch
	// 100 4096 true
	// 101 4096 true
	// 102 4096 true
}

// What Open would download, and the checksums that it is verified by.
func ExamplePublishedSets() {
	for _, set := range data.PublishedSets() {
		if set.Name != "svhn" {
			continue
		}
		fmt.Println(set.Title+":", set.License)
		for _, f := range set.Files {
			fmt.Println(f.URLs[0], f.Size, f.Checksum()[:16]+"…")
			fmt.Println("  by", f.Published)
		}
	}
	// Output:
	// SVHN: for non-commercial use only
	// http://ufldl.stanford.edu/housenumbers/train_32x32.mat 182040794 SHA-256 435e94d6…
	//   by TensorFlow Datasets, url_checksums/svhn_cropped.txt
	// http://ufldl.stanford.edu/housenumbers/test_32x32.mat 64275384 SHA-256 cdce80df…
	//   by TensorFlow Datasets, url_checksums/svhn_cropped.txt
}

// The flow of package data: open a dataset, split off a validation set, deal augmented
// batches, and make an out-of-distribution set and a corrupted one for evaluation.
func Example() {
	train, test, err := data.Open(context.Background(), "digits", data.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	train, validation, err := train.RandomSplit(197, 1, "train", "validation")
	if err != nil {
		fmt.Println(err)
		return
	}
	batches, err := data.NewBatches(train, 64, 1, data.Augment{Pad: 1, Noise: .03})
	if err != nil {
		fmt.Println(err)
		return
	}
	batch := batches.At(0)
	ood, err := test.SynthesizeOOD("uniform noise", 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	noisy, err := test.Corrupt("gaussian noise", 3, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(train)
	fmt.Println(validation)
	fmt.Println(len(batch.Labels), "labels,", len(batch.X), "values a batch,", batches.StepsPerEpoch(), "steps an epoch")
	fmt.Println(ood)
	fmt.Println(noisy)
	// Output:
	// UCI digits train: 1000 examples of [8 8 1] in 10 classes
	// UCI digits validation: 197 examples of [8 8 1] in 10 classes
	// 64 labels, 4096 values a batch, 15 steps an epoch
	// UCI digits, uniform noise made from test: 600 examples of [8 8 1] in 10 classes
	// UCI digits, gaussian noise 3 test: 600 examples of [8 8 1] in 10 classes
}
