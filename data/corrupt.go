package data

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"ngebm/data/nearest"
)

// corruption is one way in which images go bad.
type corruption struct {
	name string
	// strength is what apply takes, at severities 1 to 5.
	strength [5]float64
	apply    func(c *floatImage, strength float64, rng *rand.Rand) error
}

// corruptions lists what [Dataset.Corrupt] does. The strengths are those of
// CIFAR-10-C (hendrycks/robustness, ImageNet-C/create_c/make_cifar_c.py), for
// values in [0,1], but for the fourth of motion blur: that is 2 there as well,
// with a longer tail, which adds nothing to a σ of 2.
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

// Corruptions returns the names that [Dataset.Corrupt] takes, in the order of
// its description.
func Corruptions() []string {
	var names []string
	for _, c := range corruptions() {
		names = append(names, c.name)
	}
	return names
}

// Severities is the number of severities of every corruption, from 1 on.
const Severities = len(corruption{}.strength)

// Corrupt returns the same images gone bad, with the same labels: nine of the
// common corruptions of Hendrycks and Dietterich (2019, arXiv 1903.12261) at a
// severity of 1 to 5, the strengths being those that they gave CIFAR-10-C. With v
// for values in [0,1] and the strengths in brackets:
//
//	gaussian noise   normal, deviation [.04 .06 .08 .09 .10] on every value
//	shot noise       v becomes k/c, k from Poisson(c·v), c of [500 250 100 75 50]
//	impulse noise    a share of [.01 .02 .03 .05 .07] of all values becomes 0 or 1
//	gaussian blur    deviation [.4 .6 .7 .8 1] pixels
//	motion blur      a tail of a half normal's form, deviation [1 1.5 2 2.25 2.5]
//	                 pixels, up to 45° from the horizontal at random for each image
//	brightness       the lightest channel of a pixel gets [.05 .1 .15 .2 .3] more, the
//	                 others in proportion (value of HSV)
//	contrast         times [.75 .5 .4 .3 .15] around the image's mean of each channel
//	pixelate         to [.95 .9 .85 .75 .65] of either side, rounded down, and back
//	jpeg             quality [80 65 58 50 40]; images of 1 or 3 channels only
//
// The strengths suit 32x32 pixels. Deviations of blurs grow with the shorter side
// of larger images, and stay what they are on smaller ones, where they would soon
// be parts of a pixel and change nothing; the others know no size. Severities of
// pixelate that come to the same number of pixels give the same on small images.
//
// What is drawn at random follows from seed and an example's place in the set,
// and is the same at every severity, so that a curve over severities is smooth.
// These are not the files of CIFAR-10-C: the draws are others, and values are
// rounded to the nearest of 0..255 (MaxPixel is 255 whatever d's is), where those
// were rounded down.
func (d *Dataset) Corrupt(kind string, severity int, seed uint64) (*Dataset, error) {
	all := corruptions()
	at := slices.IndexFunc(all, func(c corruption) bool { return c.name == kind })
	switch {
	case at < 0:
		return nil, fmt.Errorf("data: no corruption is called %.60q%s; there are %s", kind, nearest.Hint(kind, Corruptions()), strings.Join(Corruptions(), ", "))
	case severity < 1 || severity > Severities:
		return nil, fmt.Errorf("data: the severity is %d: give 1 to %d", severity, Severities)
	case !d.IsImages():
		return nil, fmt.Errorf("data: corruptions are of images, but %s holds points", d.Name)
	}
	bad := Dataset{
		Info: d.Info, Shape: slices.Clone(d.Shape), MaxPixel: 255,
		Pixels: make([]uint8, len(d.Pixels)), Labels: slices.Clone(d.Labels),
	}
	bad.Name = fmt.Sprintf("%s, %s %d", d.Name, kind, severity)
	bad.Source = fmt.Sprintf("%s; %s of severity %d, seed %d, after Hendrycks and Dietterich 2019", d.Source, kind, severity, seed)
	bad.Lossy = d.Lossy || kind == "jpeg"
	err := parallelFor(d.Len(), func(i int) error {
		image := d.floatImage(i)
		err := all[at].apply(image, all[at].strength[severity-1], stream(forCorrupt, seed, uint64(i), 0))
		image.store(bad.pixels(i), bad.MaxPixel)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("data: %s: %s: %w", d.Name, kind, err)
	}
	return New(bad)
}
