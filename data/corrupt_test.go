package data

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
)

// flat is n images that are one value all over.
func flat(t testing.TB, n, height, width, channels int, value uint8) *Dataset {
	t.Helper()
	d := images(t, n, height, width, channels)
	for i := range d.Pixels {
		d.Pixels[i] = value
	}
	return d
}

// smooth is n images of a slow wave in every channel, without noise, in 40..210.
func smooth(t testing.TB, n, height, width, channels int) *Dataset {
	t.Helper()
	d := images(t, n, height, width, channels)
	for i := range d.Pixels {
		y, x, c := i/channels/width%height, i/channels%width, i%channels
		d.Pixels[i] = uint8(125 + 85*math.Sin(float64(y)/4+float64(c)+float64(i/d.Size()))*math.Cos(float64(x)/5))
	}
	return d
}

func corrupt(t testing.TB, d *Dataset, kind string, severity int) *Dataset {
	t.Helper()
	bad, err := d.Corrupt(kind, severity, 1)
	if err != nil {
		t.Fatal(err)
	}
	return bad
}

// units are the pixels in [0,1].
func units(d *Dataset) []float64 {
	v := make([]float64, len(d.Pixels))
	for i, p := range d.Pixels {
		v[i] = float64(p) / float64(d.MaxPixel)
	}
	return v
}

// psnr is the peak signal-to-noise ratio in decibels.
func psnr(a, b *Dataset) float64 {
	difference := floats.SubTo(make([]float64, len(a.Pixels)), units(a), units(b))
	return -10 * math.Log10(floats.Dot(difference, difference)/float64(len(difference)))
}

// Every corruption harms more at each severity, says what it is, keeps labels and
// the original, and is the same on one processor as on all.
func TestCorruptions(t *testing.T) {
	d := smooth(t, 20, 32, 32, 3)
	sum := d.checksum()
	for _, kind := range Corruptions() {
		best := math.Inf(1)
		for severity := 1; severity <= Severities; severity++ {
			bad := corrupt(t, d, kind, severity)
			if quality := psnr(d, bad); quality >= best || quality < 10 {
				t.Errorf("%s: the PSNR is %.1f at severity %d, before it was %.1f", kind, quality, severity, best)
			} else {
				best = quality
			}
			if !slices.Equal(bad.Labels, d.Labels) || bad.Split != d.Split || bad.Lossy != (kind == "jpeg") {
				t.Errorf("%s: labels, split or lossy are not what they were", kind)
			}
			processors := runtime.GOMAXPROCS(1)
			alone := corrupt(t, d, kind, severity)
			runtime.GOMAXPROCS(processors)
			if alone.Checksum != bad.Checksum {
				t.Errorf("%s %d: one processor gives another set", kind, severity)
			}
		}
		other, _ := d.Corrupt(kind, 3, 2)
		random := slices.Contains([]string{"gaussian noise", "shot noise", "impulse noise", "motion blur"}, kind)
		if same := other.Checksum == corrupt(t, d, kind, 3).Checksum; same == random {
			t.Errorf("%s: another seed gives the same: %v", kind, same)
		}
	}
	if d.checksum() != sum {
		t.Error("the set itself was changed")
	}
	bad := corrupt(t, d, "motion blur", 4)
	if want := "made, motion blur 4"; bad.Name != want {
		t.Errorf("the name is %q, want %q", bad.Name, want)
	}
	if want := "; motion blur of severity 4, seed 1, after Hendrycks and Dietterich 2019"; bad.Source != want {
		t.Errorf("the source is %q, want %q", bad.Source, want)
	}
}

// Sets of other ranges, channels and sizes: MaxPixel becomes 255, and what cannot
// be is said.
func TestCorruptTakesAnyImages(t *testing.T) {
	digits, _ := open(t, "digits", Options{})
	for _, d := range []*Dataset{digits, smooth(t, 2, 1, 1, 1), smooth(t, 2, 5, 9, 3), smooth(t, 2, 70, 64, 1), smooth(t, 2, 8, 8, 2)} {
		for _, kind := range Corruptions() {
			bad, err := d.Corrupt(kind, 5, 1)
			if kind == "jpeg" && d.Shape[2] == 2 {
				says(t, err, "jpeg: it needs images of 1 or 3 channels, but these have 2")
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if bad.MaxPixel != 255 || !slices.Equal(bad.Shape, d.Shape) || bad.Len() != d.Len() {
				t.Errorf("%s of %v gave %v with pixels to %d", kind, d, bad, bad.MaxPixel)
			}
		}
	}
	moons, _ := open(t, "moons:10", Options{})
	for want, try := range map[string]func() (*Dataset, error){
		`unknown corruption "fog": choose one of gaussian noise, shot`: func() (*Dataset, error) { return digits.Corrupt("fog", 1, 1) },
		"the severity is 0: give 1 to 5":                               func() (*Dataset, error) { return digits.Corrupt("jpeg", 0, 1) },
		"the severity is 6: give 1 to 5":                               func() (*Dataset, error) { return digits.Corrupt("jpeg", 6, 1) },
		"corruptions are for images, but moons holds points":           func() (*Dataset, error) { return moons.Corrupt("contrast", 1, 1) },
	} {
		_, err := try()
		says(t, err, want)
	}
}

// BenchmarkCorrupt is 1,000 images of 32x32x3 on all processors.
func BenchmarkCorrupt(b *testing.B) {
	d := smooth(b, 1000, 32, 32, 3)
	for _, kind := range Corruptions() {
		b.Run(kind, func(b *testing.B) {
			for b.Loop() {
				corrupt(b, d, kind, 5)
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "images/s")
		})
	}
}
