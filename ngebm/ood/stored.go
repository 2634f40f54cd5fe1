package ood

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Stored is what a detector learned from features, to be stored: without the network's last
// layer, which [Restore] needs again. It turns into JSON.
type Stored struct {
	Detector   string  `json:"detector"`
	Center     Numbers `json:"center,omitempty"` // MDS, RMDS; fDBD's mean; ViM's origin
	Whitening  Numbers `json:"whitening,omitempty"`
	Means      Numbers `json:"means,omitempty"`
	Background Numbers `json:"background,omitempty"`
	Residual   Numbers `json:"residual,omitempty"`
	Scale      float64 `json:"scale,omitempty"` // ViM's α, ReAct's clipping value
}

// Numbers are float64 that turn into JSON as one string, base64 of their little-endian bytes.
type Numbers []float64

// MarshalJSON implements [json.Marshaler].
func (n Numbers) MarshalJSON() ([]byte, error) {
	raw, err := binary.Append(nil, binary.LittleEndian, []float64(n))
	if err != nil {
		return nil, err
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(raw))
}

// UnmarshalJSON implements [json.Unmarshaler].
func (n *Numbers) UnmarshalJSON(text []byte) error {
	var raw []byte // base64, as encoding/json has it
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	if len(raw)%8 != 0 {
		return fmt.Errorf("ood: %d bytes are no whole number of float64", len(raw))
	}
	*n = make(Numbers, len(raw)/8)
	_, err := binary.Decode(raw, binary.LittleEndian, []float64(*n))
	return err
}

// StorableNames are the names of the detectors on features that [Store] takes: all but kNN, which
// would store the features of all training examples.
func StorableNames() []string {
	return slices.DeleteFunc(FeatureDetectorNames(), func(name string) bool { return name == "kNN" })
}

// Store returns what a fitted detector learned.
func Store(f Fitted) (Stored, error) {
	switch d := f.(type) {
	case *gaussians:
		s := Stored{Detector: "MDS", Center: d.center, Whitening: d.whitening.RawMatrix().Data, Means: d.means.RawMatrix().Data}
		if d.background != nil {
			s.Detector, s.Background = "RMDS", d.background.RawMatrix().Data
		}
		return s, nil
	case *vim:
		return Stored{Detector: "ViM", Center: d.origin, Residual: d.residual.RawMatrix().Data, Scale: d.alpha}, nil
	case *fdbd:
		return Stored{Detector: "fDBD", Center: d.mean}, nil
	case *react:
		return Stored{Detector: "ReAct", Scale: d.ceiling}, nil
	}
	return Stored{}, errors.New("ood: this detector cannot be stored")
}

// Restore returns a stored detector with the network's last layer, as [Training] has it. What is
// stored may come from anyone: numbers that do not fit the layer, or are not finite, are an
// error.
func Restore(s Stored, weight [][]float64, bias []float64) (Fitted, error) {
	head, err := newLinear(weight, bias)
	if err != nil {
		return nil, fmt.Errorf("ood: %w", err)
	}
	width, classes := head.weight.Dims()
	for _, part := range []Numbers{s.Center, s.Whitening, s.Means, s.Background, s.Residual, {s.Scale}} {
		for _, v := range part {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("ood: the stored %.20q has the number %v", s.Detector, v)
			}
		}
	}
	square := func(n Numbers) bool { return len(n) == width*width }
	centered, kept := len(s.Center) == width, len(s.Means)/width
	misfit := fmt.Errorf("ood: the stored %.20q is not of a network with %d features and %d classes", s.Detector, width, classes)
	switch s.Detector {
	case "MDS", "RMDS":
		relative := s.Detector == "RMDS"
		if !centered || !square(s.Whitening) || kept < 1 || kept > classes || len(s.Means) != kept*width || relative && !square(s.Background) {
			return nil, misfit
		}
		g := &gaussians{center: s.Center, whitening: mat.NewDense(width, width, s.Whitening), means: mat.NewDense(kept, width, s.Means)}
		if relative {
			g.background = mat.NewDense(width, width, s.Background)
		}
		return g, nil
	case "ViM":
		left := len(s.Residual) / width
		if !centered || left < 1 || left >= width || len(s.Residual) != left*width {
			return nil, misfit
		}
		return &vim{head, s.Center, mat.NewDense(width, left, s.Residual), s.Scale}, nil
	case "fDBD":
		if !centered {
			return nil, misfit
		}
		return newFDBD(head, s.Center)
	case "ReAct":
		return &react{head, s.Scale}, nil
	}
	return nil, fmt.Errorf("ood: no detector %.20q can be restored", s.Detector)
}
