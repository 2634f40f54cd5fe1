package study

import (
	"strings"
	"testing"

	"ngebm/data"
	"ngebm/data/testerror"
	"ngebm/ngebm/train"
)

// What cannot be measured is found before anything is trained.
func TestDetectorsOfAProtocol(t *testing.T) {
	for want, p := range map[string]Protocol{
		`no detector "knn" that is fitted on features (did you mean kNN?)`: {Detectors: []string{"knn"}},
		"detector py (max softmax f (MSP)) needs no fit":                   {Detectors: []string{"msp"}},
		"the detector Mahalanobis is called MDS here":                      {Detectors: []string{"Mahalanobis"}},
		"needs no fit; it is always measured":                              {Detectors: []string{"px"}},
		"MDS is given twice":                                               {Detectors: []string{"MDS", "MDS"}},
		`near OOD set "svhn" (-near) is not among the OOD sets`:            {Near: []string{"svhn"}, OODKinds: []string{"rotated"}},
		"chosen on rotated (-ood-validation), which is also tested":        {OODValidation: "rotated", OODKinds: []string{"rotated"}},
	} {
		if err := p.validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	p := Protocol{Detectors: []string{"kNN"}, Near: []string{"svhn"}, Missing: []string{"svhn"}, OODKinds: []string{"rotated"}, OODValidation: "blobs"}
	if err := p.validate(); err != nil {
		t.Errorf("a near set that is missing: %v", err)
	}
	if p.group("svhn") != Near || p.group("rotated") != Far || (Protocol{}).group("rotated") != "" {
		t.Errorf("groups %q %q", p.group("svhn"), p.group("rotated"))
	}
}

// The test set's examples are no OOD set under other classes.
func TestOODDatasetOfOtherClasses(t *testing.T) {
	_, test, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	coarse := *test
	coarse.Classes, coarse.Labels = []string{"any"}, make([]int32, test.Len())
	like, err := data.New(coarse)
	if err != nil {
		t.Fatal(err)
	}
	p := Protocol{OODDatasets: []string{"digits"}}
	_, err = p.find(t.Context(), like, train.Options{})
	testerror.Want(t, err, "the OOD dataset digits (-ood-datasets) has the examples of the test set itself; leave it out")
}
