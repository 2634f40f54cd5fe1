package data

import "math/rand/v2"

// purpose says what a stream of random numbers is for, so that no stream is
// used for two things.
type purpose uint64

const (
	forStratify purpose = iota + 1
	forSplit
	forEpoch
	forExample
	forToy2D
	forOOD
	forMixup
	forCorrupt
)

// stream returns the random numbers for one purpose, seed and pair of counters
// (epoch; step and position). It is a function of these alone, whichever
// goroutine asks, and neighbouring ones are unrelated.
func stream(p purpose, seed, a, b uint64) *rand.Rand {
	high := scatter(scatter(uint64(p)) + seed)
	low := scatter(scatter(high+a) + b)
	return rand.New(rand.NewPCG(high, low))
}

// scatter is one step of SplitMix64 (Steele, Lea, Flood 2014): a bijection
// under which a change of any input bit changes about half of the output's.
func scatter(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
