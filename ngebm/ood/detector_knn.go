package ood

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// KNN is the detector of Sun et al. 2022 (ICML, arXiv 2204.06507, section 3): minus the
// Euclidean distance of an example's feature to the k-th nearest feature of training examples,
// all divided by their L2 norms. A feature of norm below 1e-12 is divided by 1e-12. The paper has k =
// 50 for CIFAR-10, 200 for CIFAR-100 and 1000 for ImageNet. k must not exceed the number of
// training examples.
//
// It equals pytorch-ood 0.4.0's KNN, whose score has the other sign.
//
// Products are of float32, which finds the examples that may be the k-th; their distances are of
// float64. 10,000 examples against 50,000 of 128 features take 13 s of processor time, on all
// cores; more where many training examples have features that differ by less than .005.
func KNN(k int) Detector {
	return Detector{Name: "kNN", Definition: fmt.Sprintf("-distance to the k-th nearest training feature, all of norm 1, k = %d", k), Source: "Sun et al. 2022, arXiv 2204.06507",
		Needs: NeedsFeatures, Parameter: "k", Value: float64(k), Candidates: []float64{50, 100, 200, 500, 1000},
		with: func(v float64) Detector { return KNN(int(v)) }, whole: true,
		fit: func(_ context.Context, t *fitting) (Fitted, error) {
			if n, _ := t.features.Dims(); k < 1 || k > n {
				return nil, fmt.Errorf("k is %d; it must be from 1 to the %d training examples", k, n)
			}
			normalize(t.features)
			return &knn{k, t.features, single(t.features), squares(t.features)}, nil
		}}
}

// knn is a fitted [KNN].
type knn struct {
	k       int
	train   *mat.Dense     // [examples, width], normalized
	single  blas32.General // the same
	squares []float32      // of the norms: 1, or less where the feature's is below 1e-12
}

func normalize(rows *mat.Dense) {
	for i := range rows.RawMatrix().Rows {
		row := rows.RawRowView(i)
		norm := max(floats.Norm(row, 2), 1e-12)
		for j := range row {
			row[j] /= norm
		}
	}
}

func squares(rows *mat.Dense) []float32 {
	all := make([]float32, rows.RawMatrix().Rows)
	for i := range all {
		all[i] = float32(floats.Dot(rows.RawRowView(i), rows.RawRowView(i)))
	}
	return all
}

// single is a matrix in float32.
func single(m *mat.Dense) blas32.General {
	raw := m.RawMatrix()
	s := blas32.General{Rows: raw.Rows, Cols: raw.Cols, Stride: raw.Cols, Data: make([]float32, len(raw.Data))}
	for i, v := range raw.Data { // without gaps, as matrix makes them
		s.Data[i] = float32(v)
	}
	return s
}

// trainBlock is how many training examples a matrix product has: with scoreBlock rows it
// takes 2 MiB.
const trainBlock = 2048

// Score implements [Fitted].
func (d *knn) Score(ctx context.Context, o Outputs) ([]float64, error) {
	n, width := d.train.Dims()
	return scoreFeatures(ctx, o, width, func(z *mat.Dense, scores []float64) {
		normalize(z)
		queries, near := single(z), make([]neighbors, len(scores))
		for i := range near {
			near[i] = newNeighbors(d.k, width)
		}
		product := blas32.General{Rows: len(scores), Cols: trainBlock, Stride: trainBlock, Data: make([]float32, len(scores)*trainBlock)}
		for start := 0; start < n && ctx.Err() == nil; start += trainBlock {
			block := d.single
			block.Rows = min(trainBlock, n-start)
			block.Data = block.Data[start*width : (start+block.Rows)*width]
			product.Cols = block.Rows
			blas32.Gemm(blas.NoTrans, blas.Trans, 1, queries, block, 0, product)
			eachPart(len(near), func(i int) { near[i].add(start, product.Data[i*trainBlock:][:block.Rows], d.squares[start:]) })
		}
		eachPart(len(near), func(i int) {
			if ctx.Err() == nil { // the k-th of all is there
				scores[i] = -near[i].distance(z.RawRowView(i), d.train)
			}
		})
	})
}

// eachPart calls do for 0 … n-1 from several goroutines.
func eachPart(n int, do func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				do(i)
			}
		})
	}
	wg.Wait()
}

// neighbors are the training examples that may be among the k nearest.
type neighbors struct {
	k        int
	slack    float32 // keys that differ by more have the order of the distances
	farthest float32 // the largest key to look at
	all      []neighbor
	room     int // how many there may be before they are sorted
}

type neighbor struct {
	key   float32 // ‖b‖² - 2a·b: the squared distance, but for ‖a‖²
	index int32
}

// newNeighbors returns none. A product of vectors of norm 1 that are rounded to float32 is off by
// (width+2)·2⁻²⁴ at most, to first order (Higham 2002, section 3.1); a key by twice that and the
// rounding of its terms.
func newNeighbors(k, width int) neighbors {
	off := 2 * float32(width+8) * 0x1p-24
	return neighbors{k: k, slack: 2 * off, farthest: float32(math.Inf(1)), room: 2*k + 64}
}

// add looks at training examples from start on with the given products with the example.
func (s *neighbors) add(start int, products, squares []float32) {
	for j, product := range products {
		if key := squares[j] - 2*product; key <= s.farthest {
			s.all = append(s.all, neighbor{key, int32(start + j)})
			if len(s.all) == s.room {
				s.drop()
				s.room = max(s.room, 2*len(s.all)) // ties
			}
		}
	}
}

// drop leaves out those that are farther than the k-th.
func (s *neighbors) drop() {
	slices.SortFunc(s.all, func(a, b neighbor) int { return cmp.Compare(a.key, b.key) })
	if len(s.all) >= s.k {
		s.farthest = s.all[s.k-1].key + s.slack
		for s.all[len(s.all)-1].key > s.farthest {
			s.all = s.all[:len(s.all)-1]
		}
	}
}

// distance is that to the k-th nearest. It is of the difference: 1 - a·b loses half of the digits
// where both are close.
func (s *neighbors) distance(z []float64, train *mat.Dense) float64 {
	s.drop()
	exact := make([]float64, len(s.all))
	for i, one := range s.all {
		exact[i] = floats.Distance(z, train.RawRowView(int(one.index)), 2)
	}
	slices.Sort(exact)
	return exact[s.k-1]
}
