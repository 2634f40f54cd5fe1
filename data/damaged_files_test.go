package data

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"ngebm/data/format"
	"ngebm/data/testdisk"
)

// values tells sets apart by all that is in them.
func values(err error, sets ...*Dataset) (string, error) {
	if err != nil {
		return "", err
	}
	var all []byte
	for _, d := range sets {
		all = fmt.Appendf(all, "%s %v %v %v %v\n", d.Checksum, d.Shape, d.Classes, d.Labels, d.Pixels)
	}
	return string(all), nil
}

// One byte of a file is changed, at random: no reader panics, and where the format has
// checksums the file is refused or gives the values that it always gave. The others are
// plain tar, zip (whose names no checksum covers), NPY and text; those of published sets
// are compared with a SHA-256 when they come, see package fetch.
func TestLongCorruptedFiles(t *testing.T) {
	clean := cleanTest(t)
	files := cifarCFiles()
	pets := petFiles(t)
	for _, c := range []struct {
		name    string
		file    []byte
		checked bool
		read    func(file []byte) (string, error)
	}{
		{"decoded set", cacheFile(t), true, func(file []byte) (string, error) {
			train, test, _, err := readCache(bytes.NewReader(file), int64(len(file)), "key")
			return values(err, train, test)
		}},
		{"CIFAR in tar.gz", gzipOf(t, tarOf(t, cifar10Files())), true, func(file []byte) (string, error) {
			train, test, err := smallCIFAR10().read(t.Context(), bytes.NewReader(file))
			return values(err, train, test)
		}},
		{"IDX in gzip", mnistFiles(t)[0], true, func(file []byte) (string, error) {
			pixels, err := smallMNIST().readImages(bytes.NewReader(file), 3)
			return fmt.Sprint(pixels), err
		}},
		{"MAT, compressed", svhnFile(t, 1, 2, 10), true, func(file []byte) (string, error) {
			d, err := smallSVHN().read(bytes.NewReader(file), "train", 3)
			return values(err, d)
		}},
		{"MedMNIST's NPZ", zipOf(t, medmnistFiles()), true, func(file []byte) (string, error) {
			parts, err := smallMedMNIST("PneumoniaMNIST").readBoth(file)
			return values(err, parts[:]...)
		}},
		{"NPZ", zipOf(t, []archived{{"x_train.npy", arrayOf([]int{3, 2, 2}, make([]uint8, 12)...)}, {"y_train.npy", arrayOf([]int{3}, int64(0), 1, 1)},
			{"x_test.npy", arrayOf([]int{2, 2, 2}, make([]uint8, 8)...)}, {"y_test.npy", arrayOf([]int{2}, int64(1), 0)}}), true, func(file []byte) (string, error) {
			arrays, err := format.OpenNPZ(bytes.NewReader(file), int64(len(file)))
			if err != nil {
				return "", err
			}
			train, test, err := readNPZ(t.Context(), arrays, "set", maxDecoded)
			return values(err, train, test)
		}},
		{"images in tar.gz", gzipOf(t, tarOf(t, pets)), true, func(file []byte) (string, error) {
			train, test, err := readImages(t.Context(), &tarBytes{content: file})
			return values(err, train, test)
		}},
		{"images in tar", tarOf(t, pets), false, func(file []byte) (string, error) {
			train, test, err := readImages(t.Context(), &tarBytes{content: file})
			return values(err, train, test)
		}},
		{"images in zip", zipOf(t, pets), false, func(file []byte) (string, error) {
			train, test, err := readImages(t.Context(), &zipBytes{content: file})
			return values(err, train, test)
		}},
		{"CIFAR-C in tar", tarOf(t, files), false, func(file []byte) (string, error) {
			d, err := smallCIFARC().read(t.Context(), bytes.NewReader(file), "zoom_blur", 2, clean)
			return values(err, d)
		}},
		{"CelebA's partition", []byte("000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n"), false, func(file []byte) (string, error) {
			splits, err := parsePartition(file)
			return fmt.Sprint(splits), err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want, err := c.read(c.file)
			if err != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(1, 2))
			refused, same, other := 0, 0, 0
			for range testdisk.Times(300, 10_000) {
				file := slices.Clone(c.file)
				i, change := rng.IntN(len(file)), byte(1+rng.IntN(255))
				file[i] ^= change
				switch got, err := c.read(file); {
				case err != nil:
					refused++
				case got == want:
					same++
				default:
					if other++; c.checked {
						t.Errorf("byte %d of %d changed by %#x: got\n%snot\n%s", i, len(file), change, got, want)
					}
				}
			}
			t.Logf("%d refused, %d read as ever, %d with other values", refused, same, other)
		})
	}
}
