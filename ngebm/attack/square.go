package attack

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Square is random search for an L∞ perturbation, without gradients
// (Andriushchenko et al. 2020, algorithms 1 and 2, with AutoAttack's margin loss
// f_y − max_{k≠y} f_k): it starts from vertical stripes of ±ε, and at each query
// sets a square window to ±ε in each channel, keeping it if the margin falls.
// The window's share of the image starts at P and shrinks with the queries. What
// is not an image is taken as one row of pixels.
type Square struct {
	Queries int     `json:"queries"` // for each image; AutoAttack makes 5,000
	P       float64 `json:"p"`       // AutoAttack: .8, which 0 stands for
}

// String implements [Attack].
func (q Square) String() string {
	return fmt.Sprintf("Square Linf, %d queries, p %.4g", q.Queries, q.p())
}

func (q Square) p() float64 {
	if q.P == 0 {
		return .8
	}
	return q.P
}

func (q Square) norm() Norm { return Linf }

func (q Square) check(int) error {
	if q.Queries < 1 {
		return fmt.Errorf("attack: Square with %d queries does nothing: set Queries to 1 or more, 5000 is usual", q.Queries)
	}
	if !(q.p() > 0 && q.p() <= 1) {
		return fmt.Errorf("attack: Square with windows of %v of the image is not possible: set P above 0 and at most 1, or 0 for .8", q.P)
	}
	return nil
}

func (q Square) passes() []pass { return []pass{q.run} }

// share returns the window's share of the image at a query, counted from 0:
// halved where AutoAttack halves it, with its thresholds for 10,000 queries.
func (q Square) share(query int) float64 {
	share, at := q.p(), float64(query)/float64(q.Queries)*10000
	for _, threshold := range []float64{10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000} {
		if math.Floor(at) > threshold {
			share /= 2
		}
	}
	return share
}

// place is a place in the batch with the image that is searched there.
type place struct {
	image, query int
	margin       float64
	random       *rand.Rand
}

// run keeps every place of the batch busy: the next image moves in when one is
// broken or has had its queries.
func (q Square) run(s *search, images []int) error {
	values := s.batch * s.d.Size()
	x, lower, upper := make([]float32, values), make([]float32, values), make([]float32, values)
	best, candidates := make([]float32, values), make([]float32, values)
	places := make([]*place, s.batch)
	busy, next := 0, 0
	for {
		for k := range places {
			if places[k] != nil || next == len(images) {
				continue
			}
			places[k] = &place{image: images[next], margin: math.Inf(1), random: stream(forSquare, s.options.Seed, images[next], 0, 0)}
			s.d.Example(images[next], s.at(x, k))
			s.ball.bounds(s.at(x, k), s.at(lower, k), s.at(upper, k))
			next++
			busy++
		}
		if busy == 0 {
			return nil
		}
		for k, p := range places {
			if p == nil {
				continue
			}
			if y := s.at(candidates, k); p.query == 0 {
				stripes(p.random, s.d.Shape, s.at(lower, k), s.at(upper, k), y)
			} else {
				copy(y, s.at(best, k))
				window(p.random, s.d.Shape, q.share(p.query-1), s.at(lower, k), s.at(upper, k), y)
			}
		}
		rows, err := s.forward(candidates, s.batch)
		if err != nil {
			return err
		}
		part := float64(next - busy)
		for k, p := range places {
			if p == nil {
				continue
			}
			label := int(s.d.Labels[p.image])
			if !finite(rows[k]) {
				return fmt.Errorf("%s: at ε = %v example %d gives the logits %v, which are not finite: the classifier's training may have diverged, or ε is far outside the data", s.task, s.epsilon, p.image, rows[k])
			}
			if m := margin(rows[k], label); m < p.margin {
				p.margin = m
				copy(s.at(best, k), s.at(candidates, k))
			}
			p.query++
			wrong := argMax(rows[k]) != label
			if wrong {
				s.found(p.image, s.at(candidates, k))
			}
			if wrong || p.query == q.Queries {
				places[k] = nil
				busy--
				part++
			} else {
				part += float64(p.query) / float64(q.Queries)
			}
		}
		if err := s.tell(part / float64(len(images))); err != nil {
			return err
		}
	}
}

// margin is f_y − max_{k≠y} f_k.
func margin(logits []float32, label int) float64 {
	other := math.Inf(-1)
	for k, f := range logits {
		if k != label {
			other = max(other, float64(f))
		}
	}
	return float64(logits[label]) - other
}

// layout reads a shape as [height, width, channels].
func layout(shape []int) (height, width, channels int) {
	if len(shape) == 3 {
		return shape[0], shape[1], shape[2]
	}
	width = 1
	for _, n := range shape {
		width *= n
	}
	return 1, width, 1
}

// stripes sets every column of every channel to one of its bounds.
func stripes(r *rand.Rand, shape []int, lower, upper, y []float32) {
	height, width, channels := layout(shape)
	for column := range width * channels {
		bound := either(r, lower, upper)
		for row := range height {
			j := row*width*channels + column
			y[j] = bound[j]
		}
	}
}

// window sets a square of the given share of the image to one of its bounds, in
// each channel.
func window(r *rand.Rand, shape []int, share float64, lower, upper, y []float32) {
	height, width, channels := layout(shape)
	side := max(1, int(math.RoundToEven(math.Sqrt(share*float64(height*width)))))
	rows, columns := min(side, height), min(side, width)
	top, left := r.IntN(height-rows+1), r.IntN(width-columns+1)
	for channel := range channels {
		bound := either(r, lower, upper)
		for row := top; row < top+rows; row++ {
			for column := left; column < left+columns; column++ {
				j := (row*width+column)*channels + channel
				y[j] = bound[j]
			}
		}
	}
}

func either(r *rand.Rand, a, b []float32) []float32 {
	if r.IntN(2) == 0 {
		return a
	}
	return b
}
