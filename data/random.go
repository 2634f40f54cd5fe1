package data

import "math/rand/v2"

// purpose identifies what a stream of random numbers is for, so that no two uses share one. The
// values are part of every stream: append new ones.
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
	forNoise
	forOutliers
)

// stream returns the random numbers of one purpose, seed and pair of counters (epoch; step and
// example). It is a function of these alone, and streams of neighboring counters are independent.
// Stored runs depend on it: it must not change.
func stream(p purpose, seed, a, b uint64) *rand.Rand {
	high := scatter(scatter(uint64(p)) + seed)
	low := scatter(scatter(high+a) + b)
	return rand.New(rand.NewPCG(high, low))
}

// scatter is one step of SplitMix64 (Steele, Lea and Flood 2014): a bijection in which each input
// bit changes about half of the output bits.
func scatter(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
