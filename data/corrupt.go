package data

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"ngebm/data/nearest"
)

// corruption is one way of corrupting an image.
type corruption struct {
	name string
	// strength is the argument of apply at severities 1 to 5.
	strength [5]float64
	apply    func(c *floatImage, strength float64, rng *rand.Rand) error
}

// corruptions lists the kinds of [Dataset.Corrupt]. The strengths are those of CIFAR-10-C
// (hendrycks/robustness, ImageNet-C/create_c/make_cifar_c.py) for values in [0,1], except the
// fourth of motion blur: there it is 2 as well, with a longer kernel, which adds nothing to a σ
// of 2.
func corruptions() []corruption {
	return []corruption{
		{"gaussian noise", [5]float64{.04, .06, .08, .09, .10}, gaussianNoise},
		{"shot noise", [5]float64{500, 250, 100, 75, 50}, shotNoise},
		{"impulse noise", [5]float64{.01, .02, .03, .05, .07}, impulseNoise},
		{"gaussian blur", [5]float64{.4, .6, .7, .8, 1}, gaussianBlur},
		{"motion blur", [5]float64{1, 1.5, 2, 2.25, 2.5}, motionBlur},
		{"brightness", [5]float64{.05, .1, .15, .2, .3}, brighten},
		{"contrast", [5]float64{.75, .5, .4, .3, .15}, flatten},
		{"pixelate", [5]float64{.95, .9, .85, .75, .65}, pixelate},
		{"jpeg", [5]float64{80, 65, 58, 50, 40}, recode},
	}
}

// Corruptions returns the kinds that [Dataset.Corrupt] accepts, in the order of its description.
func Corruptions() []string {
	var names []string
	for _, c := range corruptions() {
		names = append(names, c.name)
	}
	return names
}

// Severities is the number of severities of every corruption; they count from 1.
const Severities = len(corruption{}.strength)

// Corrupt returns the images corrupted, with the same labels: nine of the common corruptions of
// Hendrycks and Dietterich (2019, arXiv 1903.12261) at a severity of 1 to 5, with the strengths
// of CIFAR-10-C. For values v in [0,1], strengths by severity in brackets:
//
//	gaussian noise   + N(0, σ²), σ = [.04 .06 .08 .09 .10]
//	shot noise       v becomes k/c, k from Poisson(c·v), c = [500 250 100 75 50]
//	impulse noise    a fraction [.01 .02 .03 .05 .07] of all values becomes 0 or 1
//	gaussian blur    σ = [.4 .6 .7 .8 1] pixels
//	motion blur      a half-normal kernel, σ = [1 1.5 2 2.25 2.5] pixels, at a random
//	                 angle up to 45° from the horizontal for each image
//	brightness       + [.05 .1 .15 .2 .3] on the value of HSV
//	contrast         times [.75 .5 .4 .3 .15] around each image's mean per channel
//	pixelate         downscaled to [.95 .9 .85 .75 .65] of each side, rounded down, and back
//	jpeg             quality [80 65 58 50 40]; images of 1 or 3 channels only
//
// The strengths are for 32x32 pixels. The σ of blurs grows with the shorter side of larger images
// and is not reduced for smaller ones, where it would have no effect; the others do not depend on
// the size. On small images two severities of pixelate may give the same images.
//
// Random draws are a function of seed and an example's index, and the same at every severity, so
// that a curve over severities is smooth. Those of shot noise are not the same: how many a value
// takes depends on the severity. MaxPixel of the result is 255. The images are not those of
// CIFAR-10-C: the draws differ, and values are rounded to the nearest integer, where CIFAR-10-C
// rounds down. It is an error if kind or severity is unknown or d holds points.
func (d *Dataset) Corrupt(kind string, severity int, seed uint64) (*Dataset, error) {
	if err := d.withoutNoise(); err != nil {
		return nil, err
	}
	all := corruptions()
	at := slices.IndexFunc(all, func(c corruption) bool { return c.name == kind })
	switch {
	case at < 0:
		return nil, fmt.Errorf("data: unknown corruption %.60q%s: choose one of %s", kind, nearest.Hint(kind, Corruptions()), strings.Join(Corruptions(), ", "))
	case severity < 1 || severity > Severities:
		return nil, fmt.Errorf("data: the severity is %d: give 1 to %d", severity, Severities)
	case !d.IsImages():
		return nil, fmt.Errorf("data: corruptions are for images, but %s holds points", d.Name)
	}
	corrupted := Dataset{
		Info: d.Info, Shape: slices.Clone(d.Shape), MaxPixel: 255,
		Pixels: make([]uint8, len(d.Pixels)), Labels: slices.Clone(d.Labels),
	}
	corrupted.Name = fmt.Sprintf("%s, %s %d", d.Name, kind, severity)
	corrupted.Source = fmt.Sprintf("%s; %s of severity %d, seed %d, after Hendrycks and Dietterich 2019", d.Source, kind, severity, seed)
	corrupted.Lossy = d.Lossy || kind == "jpeg"
	err := parallelFor(d.Len(), func(i int) error {
		image := d.floatImage(i)
		err := all[at].apply(image, all[at].strength[severity-1], stream(forCorrupt, seed, uint64(i), 0))
		image.store(corrupted.pixels(i), corrupted.MaxPixel)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("data: %s: %s: %w", d.Name, kind, err)
	}
	return New(corrupted)
}
