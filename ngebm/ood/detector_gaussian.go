package ood

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// MDS is the Mahalanobis detector of Lee et al. 2018 (NeurIPS, arXiv 1807.03888, equations 1
// and 2) on the last features, without its input step and other layers: -min_k (z-μₖ)ᵀ Σ⁻¹
// (z-μₖ), with the mean μₖ of each class and one covariance Σ for all. Classes without training
// examples are left out.
//
// Where features are collinear, Σ has no inverse: a ridge is added, 1e-6/N to each variance,
// or 1e-12 of the largest if that is more. The score is finite then, and very small for
// examples off the subspace. It is an error if all features are constant, but for rounding.
//
// pytorch-ood 0.4.0's Mahalanobis leaves out Σ's 1/N and halves the distance. It has the same
// ridge, so that this score is -2N times its.
func MDS() Detector {
	return Detector{Name: "MDS", Definition: "-min over classes of the squared Mahalanobis distance, one covariance", Source: "Lee et al. 2018, arXiv 1807.03888",
		Needs: NeedsFeatures, fit: func(_ context.Context, t *fitting) (Fitted, error) { return fitGaussians(t, false) }}
}

// RMDS is the relative Mahalanobis distance of Ren et al. 2021 (arXiv 2106.09022, section 2):
// -min_k (dₖ(z) - d₀(z)), where dₖ is [MDS]'s distance to class k, and d₀ the distance to one
// Gaussian of all training examples, whatever their class. It has MDS's ridge.
//
// Directions along which training features deviate by less than 1e-7 of what they do along the
// widest, single precision's rounding, are left out of both distances: each would be about 1e6 N
// times the square of an example's deviation, and their difference what rounding leaves of that.
//
// It is -N times pytorch-ood 0.4.0's RMD, which leaves out 1/N in both covariances and no
// directions, so that its scores of examples off the subspace of collinear features are noise.
func RMDS() Detector {
	return Detector{Name: "RMDS", Definition: "-min over classes of the squared Mahalanobis distance, minus that of one Gaussian for all", Source: "Ren et al. 2021, arXiv 2106.09022",
		Needs: NeedsFeatures, fit: func(_ context.Context, t *fitting) (Fitted, error) { return fitGaussians(t, true) }}
}

// gaussians is a fitted [MDS] or [RMDS].
type gaussians struct {
	center     []float64  // mean of all training features
	whitening  *mat.Dense // [width, width]: of z-center, rows times it have Σ = 1
	means      *mat.Dense // [classes, width], of the classes, centered and whitened
	background *mat.Dense // whitening by the covariance of all; nil in MDS
}

func fitGaussians(t *fitting, relative bool) (Fitted, error) {
	n, width := t.features.Dims()
	g := &gaussians{center: mean(t.features)}
	z := centered(t.features, g.center)
	if isRounding(z, t.features) {
		return nil, errors.New("all training examples have the same features, so that there is no covariance; the network does not distinguish them")
	}
	var basis *mat.Dense // in whose terms z is; nil in MDS
	var err error
	if relative {
		if basis, z, err = spanOf(z); err != nil {
			return nil, err
		}
		if g.background, err = whitening(z); err != nil {
			return nil, err
		}
		g.background = product(basis, g.background)
	}
	means, counts := mat.NewDense(len(t.head.bias), width, nil), make([]float64, len(t.head.bias))
	for i, label := range t.labels {
		floats.Add(means.RawRowView(int(label)), z.RawRowView(i))
		counts[label]++
	}
	kept := 0
	for k, count := range counts {
		if count > 0 {
			floats.Scale(1/count, means.RawRowView(k))
			kept++
		}
	}
	for i := range n {
		floats.Sub(z.RawRowView(i), means.RawRowView(int(t.labels[i])))
	}
	if g.whitening, err = whitening(z); err != nil {
		return nil, err
	}
	present := mat.NewDense(kept, width, nil)
	at := 0
	for k, count := range counts {
		if count > 0 {
			present.SetRow(at, means.RawRowView(k))
			at++
		}
	}
	g.means = product(present, g.whitening)
	if relative {
		g.whitening = product(basis, g.whitening)
	}
	return g, nil
}

// isRounding reports whether deviations from the mean are what its rounding leaves.
func isRounding(deviations, features *mat.Dense) bool {
	largest := func(m *mat.Dense) float64 { return floats.Norm(m.RawMatrix().Data, math.Inf(1)) }
	return largest(deviations) <= 1e-12*largest(features)
}

// minDeviation is the least deviation along a direction, as a share of the largest, that is not
// taken for rounding.
const minDeviation = 1e-7

// spanOf is an orthonormal basis, [width, width], of the directions along which rows of mean 0
// deviate, and the rows in its terms; the columns of other directions are 0.
func spanOf(z *mat.Dense) (basis, along *mat.Dense, err error) {
	n, width := z.Dims()
	scatter, err := scatterOf(z)
	if err != nil {
		return nil, nil, err
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(scatter, true) {
		return nil, nil, errTooLarge
	}
	basis = &mat.Dense{}
	eigen.VectorsTo(basis)
	along = product(z, basis)
	squares := make([]float64, width) // more exact than the eigenvalues
	for i := range n {
		for j, v := range along.RawRowView(i) {
			squares[j] += v * v
		}
	}
	for j, square := range squares {
		if square <= minDeviation*minDeviation*floats.Max(squares) {
			basis.SetCol(j, make([]float64, width))
			along.SetCol(j, make([]float64, n))
		}
	}
	return basis, along, nil
}

var errTooLarge = errors.New("the features are too large: their squares overflow")

// scatterOf is zᵀz, of rows of mean 0.
func scatterOf(z *mat.Dense) (*mat.SymDense, error) {
	_, width := z.Dims()
	scatter := mat.NewSymDense(width, nil)
	scatter.SymOuterK(1, z.T())
	if trace := mat.Trace(scatter); math.IsInf(trace, 0) || math.IsNaN(trace) {
		return nil, errTooLarge
	}
	return scatter, nil
}

// product is a·b.
func product(a, b mat.Matrix) *mat.Dense {
	var p mat.Dense
	p.Mul(a, b)
	return &p
}

// Ridges of covariances, added to the sum of squares: what pytorch-ood adds, and what keeps
// large features invertible.
const (
	minRidge      = 1e-6
	relativeRidge = 1e-12
)

// whitening is the matrix that turns rows z of mean 0 into rows of covariance 1: zᵀΣ⁻¹z =
// ‖z·whitening‖².
func whitening(z *mat.Dense) (*mat.Dense, error) {
	n, width := z.Dims()
	scatter, err := scatterOf(z)
	if err != nil {
		return nil, err
	}
	largest := 0.
	for j := range width {
		largest = max(largest, scatter.At(j, j))
	}
	for j := range width {
		scatter.SetSym(j, j, scatter.At(j, j)+max(minRidge, relativeRidge*largest))
	}
	var c mat.Cholesky
	if !c.Factorize(scatter) {
		return nil, fmt.Errorf("the covariance of %d features cannot be inverted", width)
	}
	var lower, inverse mat.TriDense
	c.LTo(&lower)
	if err := inverse.InverseTri(&lower); err != nil {
		if _, ok := err.(mat.Condition); !ok { // of a large condition only: the ridge's doing
			return nil, err
		}
	}
	w := mat.DenseCopyOf(inverse.T())
	w.Scale(math.Sqrt(float64(n)), w)
	return w, nil
}

// Score implements [Fitted].
func (g *gaussians) Score(ctx context.Context, o Outputs) ([]float64, error) {
	return scoreFeatures(ctx, o, len(g.center), func(z *mat.Dense, scores []float64) {
		z = centered(z, g.center)
		white := product(z, g.whitening)
		var all *mat.Dense
		if g.background != nil {
			all = product(z, g.background)
		}
		for i := range scores {
			least := math.Inf(1)
			for k := range g.means.RawMatrix().Rows {
				d := floats.Distance(white.RawRowView(i), g.means.RawRowView(k), 2)
				least = min(least, d*d)
			}
			if g.background != nil {
				least -= floats.Dot(all.RawRowView(i), all.RawRowView(i))
			}
			scores[i] = -least
		}
	})
}
