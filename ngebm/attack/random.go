package attack

import (
	"encoding/binary"
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
