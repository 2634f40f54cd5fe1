package ood

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"ngebm/ngebm/bootstrap"
)

// ViM is virtual-logit matching (Wang et al. 2022, CVPR, arXiv 2203.10807, equations 5 to 7):
// logsumexp f - α‖Rᵀ(z-u)‖, where the origin u = -(Wᵀ)⁺b has logits 0, R spans what the
// principal subspace of the training features leaves, and α is the mean largest logit over the
// mean residual, of the training examples. The paper's score is the softmax of the virtual
// logit, which ranks examples the same way.
//
// dimension is that of the principal subspace; 0 stands for the authors' choice, 1000 for 2048
// features or more, 512 for 768 or more, else half of them. It is an error if the training
// features span no more than that dimension, as collinear ones may.
//
// α takes its sign from the logits, which the cross-entropy determines up to a number that all
// of them share. Where the mean largest logit is negative, as NG-EBM with the paper's weights may
// have it, the residual counts for an example, and the score is reversed.
//
// It equals pytorch-ood 0.4.0's ViM, whose score has the other sign. That one takes the
// eigenvectors of the covariance, which are less exact: of features with a mean of 1e4 standard
// deviations it is right to 1e-5.
func ViM(dimension int) Detector {
	shown := fmt.Sprintf("= %d", dimension)
	if dimension == 0 {
		shown = "by the authors' rule (1000, 512 or half of the features)"
	}
	return Detector{Name: "ViM", Definition: "logsumexp f - α‖residual of the feature‖, dimension " + shown, Source: "Wang et al. 2022, arXiv 2203.10807",
		Needs: NeedsFeatures, Parameter: "dimension", Value: float64(dimension), Candidates: []float64{16, 32, 64, 128, 256, 512},
		with: func(v float64) Detector { return ViM(int(v)) }, whole: true,
		fit: func(_ context.Context, t *fitting) (Fitted, error) { return fitViM(t, dimension) }}
}

// vim is a fitted [ViM].
type vim struct {
	head     linear
	origin   []float64  // [width]
	residual *mat.Dense // [width, width - dimension], orthonormal columns
	alpha    float64
}

func fitViM(t *fitting, dimension int) (Fitted, error) {
	n, width := t.features.Dims()
	if dimension == 0 {
		switch {
		case width >= 2048:
			dimension = 1000
		case width >= 768:
			dimension = 512
		default:
			dimension = width / 2
		}
	}
	if width < 2 {
		return nil, fmt.Errorf("the network has %d feature; a principal subspace that leaves a residual needs 2 or more", width)
	}
	if dimension < 1 || dimension >= width {
		return nil, fmt.Errorf("the principal subspace has dimension %d; it must be from 1 to %d, below the %d features", dimension, width-1, width)
	}
	origin, err := zeroOf(t.head)
	if err != nil {
		return nil, err
	}
	z := centered(t.features, origin)
	var svd mat.SVD // of the features: the covariance, their square, would lose half of the digits
	if norm := mat.Norm(z, 2); math.IsInf(norm*norm, 0) || !svd.Factorize(z, mat.SVDFullV) {
		return nil, errors.New("the covariance of the features has no eigenvectors; the features are too large")
	}
	var vectors mat.Dense
	svd.VTo(&vectors)
	v := &vim{head: t.head, origin: origin, residual: mat.DenseCopyOf(vectors.Slice(0, width, dimension, width))} // of the least singular values
	norms, logits := v.norms(z), t.head.logits(t.features)
	largest, size := 0., 0.
	for i := range n {
		largest += slices.Max(logits.RawRowView(i)) / float64(n)
		size += floats.Norm(z.RawRowView(i), 2) / float64(n)
	}
	residual := stat.Mean(norms, nil)
	if !(residual > 1e-7*size) {
		return nil, fmt.Errorf("the training features span %d dimensions or fewer, so nothing is left as a residual; choose fewer dimensions", dimension)
	}
	v.alpha = largest / residual
	return v, nil
}

// zeroOf is the feature vector of least norm with the least logits: -(Wᵀ)⁺b.
func zeroOf(head linear) ([]float64, error) {
	var svd mat.SVD
	if !svd.Factorize(head.weight.T(), mat.SVDThin) {
		return nil, errors.New("the last layer's weights have no singular values")
	}
	var u, v mat.Dense
	svd.UTo(&u) // [classes, rank]
	svd.VTo(&v) // [width, rank]
	values := svd.Values(nil)
	rows, columns := head.weight.Dims()
	origin := make([]float64, rows)
	for r, value := range values {
		if value <= float64(max(rows, columns))*0x1p-52*values[0] {
			continue
		}
		c := 0.
		for k, b := range head.bias {
			c += u.At(k, r) * b
		}
		for j := range origin {
			origin[j] -= v.At(j, r) * c / value
		}
	}
	return origin, nil
}

// norms are those of the residuals of centered features.
func (v *vim) norms(z *mat.Dense) []float64 {
	rest := product(z, v.residual)
	norms := make([]float64, z.RawMatrix().Rows)
	for i := range norms {
		norms[i] = floats.Norm(rest.RawRowView(i), 2)
	}
	return norms
}

// Score implements [Fitted].
func (v *vim) Score(ctx context.Context, o Outputs) ([]float64, error) {
	return scoreFeatures(ctx, o, len(v.origin), func(z *mat.Dense, scores []float64) {
		logits := v.head.logits(z)
		for i, norm := range v.norms(centered(z, v.origin)) {
			scores[i] = floats.LogSumExp(logits.RawRowView(i)) - v.alpha*norm
		}
	})
}

// FDBD is the fast decision-boundary detector of Liu & Qin 2024 (ICML, arXiv 2312.11536,
// section 3): the mean over classes c other than the most probable one, y, of the distance to
// their boundary, |f_y - f_c| / ‖w_y - w_c‖, over the distance of the feature to the mean of the
// training features, which is 1e-8 at least. It is an error if two classes have equal weights.
//
// It equals pytorch-ood 0.4.0's fDBD, whose score has the other sign and is NaN for classes with
// equal weights and biases.
func FDBD() Detector {
	return Detector{Name: "fDBD", Definition: "mean distance to decision boundaries over the distance to the training mean", Source: "Liu & Qin 2024, arXiv 2312.11536",
		Needs: NeedsFeatures, fit: func(_ context.Context, t *fitting) (Fitted, error) { return newFDBD(t.head, mean(t.features)) }}
}

func newFDBD(head linear, mean []float64) (Fitted, error) {
	classes := len(head.bias)
	d := &fdbd{head, mean, mat.NewDense(classes, classes, nil)}
	for a := range classes {
		for b := range a {
			norm := floats.Distance(mat.Col(nil, a, head.weight), mat.Col(nil, b, head.weight), 2)
			if norm == 0 {
				return nil, fmt.Errorf("classes %d and %d have equal weights, so there is no boundary between them", b, a)
			}
			d.norms.Set(a, b, norm)
			d.norms.Set(b, a, norm)
		}
	}
	return d, nil
}

// fdbd is a fitted [FDBD].
type fdbd struct {
	head  linear
	mean  []float64
	norms *mat.Dense // [classes, classes]: ‖w_a - w_b‖
}

// Score implements [Fitted].
func (d *fdbd) Score(ctx context.Context, o Outputs) ([]float64, error) {
	return scoreFeatures(ctx, o, len(d.mean), func(z *mat.Dense, scores []float64) {
		logits := d.head.logits(z)
		for i := range scores {
			f := logits.RawRowView(i)
			y, sum := floats.MaxIdx(f), 0.
			for c := range f {
				if c != y {
					sum += (f[y] - f[c]) / d.norms.At(y, c)
				}
			}
			scores[i] = sum / (float64(len(f)-1) * max(floats.Distance(z.RawRowView(i), d.mean, 2), 1e-8))
		}
	})
}

// ReAct is the energy with rectified activations of Sun et al. 2021 (NeurIPS, arXiv 2111.12797,
// equations 1 and 2): logsumexp of the logits of min(z, c), where c is a percentile of all training
// features together, interpolated linearly. The paper has the 90th.
//
// It equals pytorch-ood 0.4.0's ReAct with the energy, whose score has the other sign.
func ReAct(percentile float64) Detector {
	return Detector{Name: "ReAct", Definition: fmt.Sprintf("logsumexp f of features clipped at a percentile of the training features, percentile = %g", percentile), Source: "Sun et al. 2021, arXiv 2111.12797",
		Needs: NeedsFeatures, Parameter: "percentile", Value: percentile, Candidates: []float64{85, 90, 95, 99}, with: ReAct,
		fit: func(_ context.Context, t *fitting) (Fitted, error) {
			if !(percentile > 0 && percentile <= 100) {
				return nil, fmt.Errorf("the percentile is %v; it must be above 0 and at most 100", percentile)
			}
			all := slices.Clone(t.features.RawMatrix().Data)
			slices.Sort(all)
			return &react{t.head, bootstrap.Percentile(all, percentile/100)}, nil
		}}
}

// react is a fitted [ReAct].
type react struct {
	head    linear
	ceiling float64
}

// Score implements [Fitted].
func (r *react) Score(ctx context.Context, o Outputs) ([]float64, error) {
	width, _ := r.head.weight.Dims()
	return scoreFeatures(ctx, o, width, func(z *mat.Dense, scores []float64) {
		for i, v := range z.RawMatrix().Data {
			z.RawMatrix().Data[i] = min(v, r.ceiling)
		}
		logits := r.head.logits(z)
		for i := range scores {
			scores[i] = floats.LogSumExp(logits.RawRowView(i))
		}
	})
}
