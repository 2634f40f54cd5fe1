package data

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"ngebm/data/fetch"
	"ngebm/data/format"
	"ngebm/data/nearest"
)

// cifarC is CIFAR-10-C or CIFAR-100-C: a .tar, in one folder, with labels.npy and one NPY file for
// each kind of corruption, which holds the test images at severity 1, then 2, up to 5; labels.npy
// holds the labels of one such file. It is read without unpacking, and not stored decoded in the
// cache, which would take 150 MB a kind and save no time.
type cifarC struct {
	published Published
	clean     cifar
}

// severities is the number of severities in a file.
const severities = 5

func cifar10C() cifarC {
	return cifarC{
		published: Published{
			Name: "cifar10-c:KIND[/SEVERITY]", Title: "CIFAR-10-C", Source: cifarCSource + "doi:10.5281/zenodo.2535967", License: "CC-BY-4.0",
			Files: []fetch.File{{
				Name: "CIFAR-10-C.tar", URLs: []string{"https://zenodo.org/records/2535967/files/CIFAR-10-C.tar?download=1"},
				Size: 2918471680, SHA256: "c72763e101c723b7c507b96205f7e938912a5d587376173b825850cf3cb876a7",
				// Zenodo gives the MD5 sum 56bf5dcef84df0e2308c6dcbcbbd8499.
				Published: "TensorFlow Datasets, url_checksums/cifar10_corrupted.txt",
			}},
		},
		clean: cifar10(),
	}
}

func cifar100C() cifarC {
	return cifarC{
		published: Published{
			Name: "cifar100-c:KIND[/SEVERITY]", Title: "CIFAR-100-C", Source: cifarCSource + "doi:10.5281/zenodo.3555552", License: "CC-BY-4.0",
			Files: []fetch.File{{
				Name: "CIFAR-100-C.tar", URLs: []string{"https://zenodo.org/records/3555552/files/CIFAR-100-C.tar?download=1"},
				Size: 2918473216, SHA256: "30ee6543a1bfd049fa33834b7c1ada301e7064b7fbe8fc38340eb8b62ced4b33",
				// Zenodo gives the MD5 sum 11f0ed0f1191edbf9fa23466ae6021d3.
				Published: "TensorFlow Datasets, url_checksums/cifar100_corrupted.txt",
			}},
		},
		clean: cifar100(),
	}
}

const cifarCSource = "D. Hendrycks, T. Dietterich: Benchmarking Neural Network Robustness to Common Corruptions and Perturbations, ICLR 2019, "

// cifarCKinds are the names of the files: the 15 kinds of the benchmark and the 4 extra ones.
func cifarCKinds() []string {
	return strings.Fields("brightness contrast defocus_blur elastic_transform fog frost gaussian_blur gaussian_noise glass_blur " +
		"impulse_noise jpeg_compression motion_blur pixelate saturate shot_noise snow spatter speckle_noise zoom_blur")
}

// open returns the corrupted images as the test set, with the training set of the clean CIFAR, as in
// the benchmark, where models are never trained on corrupted images. The clean dataset, which has
// to be available too, also gives the class names and confirms the labels.
func (c cifarC) open(ctx context.Context, arg string, opts Options) (train, test *Dataset, err error) {
	kind, severity, err := c.parse(arg)
	if err != nil {
		return nil, nil, err
	}
	train, cleanTest, err := c.clean.open(ctx, "", opts)
	if err != nil {
		return nil, nil, err
	}
	err = c.published.read(ctx, opts, func(opened []*fetch.Opened) error {
		if test, err = c.read(ctx, opened[0], kind, severity, cleanTest); err != nil {
			return fmt.Errorf("data: %s: %w", opened[0].Name(), err)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// parse reads KIND or KIND/SEVERITY; severity 0 means all.
func (c cifarC) parse(arg string) (kind string, severity int, err error) {
	kind, after, given := strings.Cut(arg, "/")
	name, _, _ := strings.Cut(c.published.Name, ":")
	if !slices.Contains(cifarCKinds(), kind) {
		return "", 0, fmt.Errorf("data: %s has no corruption %.60q%s: choose one of %s", name, kind, nearest.Hint(kind, cifarCKinds()), strings.Join(cifarCKinds(), ", "))
	}
	if !given {
		return kind, 0, nil
	}
	if severity, err = strconv.Atoi(after); err != nil || severity < 1 || severity > severities {
		return "", 0, fmt.Errorf("data: %q is not a severity of %s: write %s:%s/N with N from 1 to %d, or leave it out for all", after, name, name, kind, severities)
	}
	return kind, severity, nil
}

// read reads one kind at one severity, or at all if it is 0. If the archive can seek, as a file can,
// other data are skipped.
func (c cifarC) read(ctx context.Context, archive io.Reader, kind string, severity int, clean *Dataset) (*Dataset, error) {
	n := c.clean.testRecords
	var images, labels *format.Array
	files := tar.NewReader(archive)
	for images == nil || labels == nil {
		header, err := files.Next()
		if err == io.EOF {
			return nil, fmt.Errorf("it lacks %s.npy or labels.npy", kind)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = insideArchive(header.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("not a whole .tar: %w", err)
		}
		// Read up to twice the size, so that an oversized file is reported by its shape.
		switch name := path.Base(header.Name); {
		case header.Typeflag != tar.TypeReg:
		case name == kind+".npy" && images == nil:
			images, err = readNPY(&ctxReader{files, ctx}, name, 2*int64(severities*n*clean.Size()), append([]int{severities * n}, clean.Shape...))
		case name == "labels.npy" && labels == nil:
			labels, err = readNPY(files, name, 2*int64(severities*n*8), []int{severities * n})
		}
		if err != nil {
			return nil, err
		}
	}
	pixels, err := images.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%s.npy: %w", kind, err)
	}
	values, err := labels.Integers()
	if err != nil {
		return nil, fmt.Errorf("labels.npy: %w", err)
	}
	for i, v := range values {
		if own := clean.Labels[i%n]; v != int64(own) {
			return nil, fmt.Errorf("labels.npy: label %d (from 0) is %d, but image %d of %s has %d", i, v, i%n, clean.Name, own)
		}
	}
	d := Dataset{Info: c.published.info("test", clean.Classes), Shape: clean.Shape, MaxPixel: 255, Pixels: pixels}
	d.Name += " " + strings.ReplaceAll(kind, "_", " ")
	d.Lossy = kind == "jpeg_compression"
	d.Labels = slices.Concat(slices.Repeat([][]int32{clean.Labels}, severities)...)
	d.bySeverity = severity == 0
	if severity > 0 {
		first := (severity - 1) * n
		d.Name += fmt.Sprintf(", severity %d", severity)
		d.Labels = d.Labels[:n]
		d.Pixels = slices.Clone(pixels[first*clean.Size():][:n*clean.Size()]) // frees the other severities
	}
	return New(d)
}

// readNPY reads an array of the given shape.
func readNPY(r io.Reader, name string, limit int64, shape []int) (*format.Array, error) {
	a, err := format.ReadNPY(r, limit)
	if err == nil && !slices.Equal(a.Shape, shape) {
		err = fmt.Errorf("it has shape %v, want %v", a.Shape, shape)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return a, nil
}

// insideArchive refuses names that lead out of an archive: no published archive has one.
func insideArchive(name string) error {
	if path.IsAbs(name) || strings.HasPrefix(path.Clean(name), "..") {
		return errors.New("the name " + strconv.Quote(name) + " leads out of the archive")
	}
	return nil
}
