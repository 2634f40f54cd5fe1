package study

import (
	"strings"
	"testing"
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
