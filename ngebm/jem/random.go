package jem

import (
	"encoding/binary"
	"math/rand/v2"
)

// purpose says what a stream of random numbers is for, so that no stream is used
// for two things.
type purpose uint64

const (
	forBuffer purpose = iota + 1
	forSlots
	forNoise
	forRefinement
)

// stream returns the random numbers for one purpose, attempt and step: a function of
// these and the seed alone.
func stream(p purpose, seed, attempt, step uint64) *rand.Rand {
	var key [32]byte
	for i, v := range []uint64{seed, uint64(p), attempt, step} {
		binary.LittleEndian.PutUint64(key[8*i:], v)
	}
	return rand.New(rand.NewChaCha8(key))
}
