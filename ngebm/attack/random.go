package attack

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
)

// purpose says what a stream of random numbers is for, so that no stream is used
// for two things.
type purpose uint32

const (
	forStart purpose = iota + 1
	forNoise
	forSquare
)

// stream returns the random numbers for one purpose, image, pass and step: a
// function of these and the seed alone.
func stream(p purpose, seed uint64, image, pass, step int) *rand.Rand {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[0:], seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(image))
	binary.LittleEndian.PutUint32(key[16:], uint32(p))
	binary.LittleEndian.PutUint32(key[20:], uint32(pass))
	binary.LittleEndian.PutUint64(key[24:], uint64(step))
	return rand.New(rand.NewChaCha8(key))
}

// startUniform writes a point drawn uniformly from the Lp ball around x, cut to the
// range, into y.
func (b lpBall) startUniform(r *rand.Rand, x, y []float32) {
	if b.norm == L2 {
		b.startAt(r, x, y, float64(b.radius)*math.Pow(r.Float64(), 1/float64(len(x))))
		return
	}
	for j, v := range x {
		y[j] = v + float32(2*r.Float64()-1)*b.radius
	}
	b.settle(x, y)
}

// startOnSurface writes the start of APGD into y: a random direction, at the
// distance ε from x in the norm (L∞: uniform values, scaled), cut to the range.
func (b lpBall) startOnSurface(r *rand.Rand, x, y []float32) {
	if b.norm == L2 {
		b.startAt(r, x, y, float64(b.radius))
		return
	}
	largest := float32(0)
	for j := range y {
		y[j] = float32(2*r.Float64() - 1)
		largest = max(largest, y[j], -y[j])
	}
	for j, v := range x {
		y[j] = v + y[j]/largest*b.radius
	}
	b.settle(x, y)
}

// startAt writes a point in a random direction at a Euclidean distance from x.
func (b lpBall) startAt(r *rand.Rand, x, y []float32, distance float64) {
	direction, square := make([]float64, len(x)), 0.
	for j := range direction {
		direction[j] = r.NormFloat64()
		square += direction[j] * direction[j]
	}
	for j, v := range x {
		y[j] = float32(float64(v) + distance*direction[j]/math.Sqrt(square))
	}
	b.settle(x, y)
}
