package data

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"ngebm/data/fetch"
	"ngebm/data/format"
	"ngebm/data/nearest"
)

// medmnist is one 2D dataset of MedMNIST v2 at 28x28 pixels: an NPZ file with train_images,
// train_labels and the same for val and test. Images have the shape [n, 28, 28] or [n, 28, 28, 3],
// labels [n, 1]. https://medmnist.com
type medmnist struct {
	published Published
	side      int // of an image, in pixels
	channels  int
	train     int // examples
	test      int
	classes   []string
}

// medmnists lists the datasets with one label per image. MD5 sums, licenses, sizes and class names
// are those of INFO in medmnist/info.py, version 3.0.2, of the authors' package; they publish no
// SHA-256 sums and no file sizes. For RetinaMNIST, whose labels are grades, INFO has numbers
// instead of names. The files were not available; these checksums are unverified against them.
func medmnists() []medmnist {
	set := func(title, md5, license string, channels, train, test int, classes ...string) medmnist {
		name := strings.ToLower(title)
		return medmnist{
			published: Published{
				Name: "medmnist:" + name, Title: title,
				Source:  "J. Yang et al.: MedMNIST v2, Scientific Data 10 (2023) 41, doi:10.1038/s41597-022-01721-8; not for clinical use",
				License: license,
				Files: []fetch.File{{
					Name: name + ".npz", URLs: []string{"https://zenodo.org/records/10519652/files/" + name + ".npz?download=1"}, MD5: md5,
					Published: "MedMNIST, medmnist/info.py 3.0.2",
				}},
			},
			side: 28, channels: channels, train: train, test: test, classes: classes,
		}
	}
	return []medmnist{
		set("PathMNIST", "a8b06965200029087d5bd730944a56c1", "CC-BY-4.0", 3, 89996, 7180,
			"adipose", "background", "debris", "lymphocytes", "mucus", "smooth muscle", "normal colon mucosa", "cancer-associated stroma", "colorectal adenocarcinoma epithelium"),
		set("DermaMNIST", "0744692d530f8e62ec473284d019b0c7", "CC-BY-NC-4.0", 3, 7007, 2005,
			"actinic keratoses and intraepithelial carcinoma", "basal cell carcinoma", "benign keratosis-like lesions", "dermatofibroma", "melanoma", "melanocytic nevi", "vascular lesions"),
		set("OCTMNIST", "c68d92d5b585d8d81f7112f81e2d0842", "CC-BY-4.0", 1, 97477, 1000,
			"choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
		set("PneumoniaMNIST", "28209eda62fecd6e6a2d98b1501bb15f", "CC-BY-4.0", 1, 4708, 624,
			"normal", "pneumonia"),
		set("RetinaMNIST", "bd4c0672f1bba3e3a89f0e4e876791e4", "CC-BY-4.0", 3, 1080, 400,
			"grade 0", "grade 1", "grade 2", "grade 3", "grade 4"),
		set("BreastMNIST", "750601b1f35ba3300ea97c75c52ff8f6", "CC-BY-4.0", 1, 546, 156,
			"malignant", "normal, benign"),
		set("BloodMNIST", "7053d0359d879ad8a5505303e11de1dc", "CC-BY-4.0", 3, 11959, 3421,
			"basophil", "eosinophil", "erythroblast", "immature granulocytes(myelocytes, metamyelocytes and promyelocytes)", "lymphocyte", "monocyte", "neutrophil", "platelet"),
		set("TissueMNIST", "ebe78ee8b05294063de985d821c1c34b", "CC-BY-4.0", 1, 165466, 47280,
			"Collecting Duct, Connecting Tubule", "Distal Convoluted Tubule", "Glomerular endothelial cells", "Interstitial endothelial cells", "Leukocytes", "Podocytes", "Proximal Tubule Segments", "Thick Ascending Limb"),
		set("OrganAMNIST", "68e3f8846a6bd62f0c9bf841c0d9eacc", "CC-BY-4.0", 1, 34561, 17778,
			"bladder", "femur-left", "femur-right", "heart", "kidney-left", "kidney-right", "liver", "lung-left", "lung-right", "pancreas", "spleen"),
		set("OrganCMNIST", "b9ceb9546e10131b32923c5bbeaea2b1", "CC-BY-4.0", 1, 12975, 8216,
			"bladder", "femur-left", "femur-right", "heart", "kidney-left", "kidney-right", "liver", "lung-left", "lung-right", "pancreas", "spleen"),
		set("OrganSMNIST", "9ab87b696fb54e2a387ebe992d6ed5f1", "CC-BY-4.0", 1, 13932, 8827,
			"bladder", "femur-left", "femur-right", "heart", "kidney-left", "kidney-right", "liver", "lung-left", "lung-right", "pancreas", "spleen"),
	}
}

// medmnistNames returns the names that may follow "medmnist:".
func medmnistNames() (names []string) {
	for _, m := range medmnists() {
		_, name, _ := strings.Cut(m.published.Name, ":")
		names = append(names, name)
	}
	return names
}

// openMedMNIST opens the dataset with the given name. Its training set is the authors' training
// split; their validation split is left out, because a run draws its own from the training set.
func openMedMNIST(ctx context.Context, name string, opts Options) (train, test *Dataset, err error) {
	for _, m := range medmnists() {
		if m.published.Name == "medmnist:"+name {
			return m.open(ctx, name, opts)
		}
	}
	if name == "chestmnist" {
		return nil, nil, fmt.Errorf("data: medmnist:chestmnist gives each image any number of 14 labels, but the classifiers here need exactly one: choose another")
	}
	return nil, nil, fmt.Errorf("data: MedMNIST has no 2D dataset %.60q with one label per image%s: choose one of %s", name, nearest.Hint(name, medmnistNames()), strings.Join(medmnistNames(), ", "))
}

func (m medmnist) open(ctx context.Context, _ string, opts Options) (train, test *Dataset, err error) {
	return m.published.open(ctx, opts, func(opened []*fetch.Opened) (train, test *Dataset, err error) {
		file := opened[0]
		bar := track(opts.Progress, "decode "+filepath.Base(file.Name()), "images", int64(m.train+m.test))
		defer bar.finish()
		arrays, err := format.OpenNPZ(file, fileSize(file.File))
		if err == nil {
			if train, err = m.read(arrays, "train", m.train); err == nil {
				bar.add(m.train)
				if err = ctx.Err(); err == nil {
					test, err = m.read(arrays, "test", m.test)
				}
			}
		}
		if err != nil {
			return nil, nil, fmt.Errorf("data: %s: %w", file.Name(), err)
		}
		bar.add(m.test)
		return train, test, nil
	})
}

// read reads one split of n examples.
func (m medmnist) read(arrays *format.NPZ, split string, n int) (*Dataset, error) {
	d := Dataset{Info: m.published.info(split, m.classes), Shape: []int{m.side, m.side, m.channels}, MaxPixel: 255}
	// Read up to twice the size, so that an oversized file is reported by its shape.
	images, err := arrays.Read(split+"_images", 2*int64(n*d.Size()))
	if err != nil {
		return nil, err
	}
	shape := []int{n, m.side, m.side}
	if m.channels > 1 {
		shape = append(shape, m.channels)
	}
	if !slices.Equal(images.Shape, shape) {
		return nil, fmt.Errorf("array %s_images has shape %v, want %v", split, images.Shape, shape)
	}
	if d.Pixels, err = images.Bytes(); err != nil {
		return nil, fmt.Errorf("array %s_images: %w", split, err)
	}
	labels, err := arrays.Read(split+"_labels", 2*int64(8*n))
	if err != nil {
		return nil, err
	}
	if !slices.Equal(labels.Shape, []int{n, 1}) {
		return nil, fmt.Errorf("array %s_labels has shape %v, want %v", split, labels.Shape, []int{n, 1})
	}
	values, err := labels.Integers()
	if err == nil {
		d.Labels, err = intoLabels(values, len(m.classes))
	}
	if err != nil {
		return nil, fmt.Errorf("array %s_labels: %w", split, err)
	}
	return New(d)
}
