package data

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"testing"
)

// Runs are compared with runs that other versions trained, so a batch of a seed
// and step must never change. These hashes were noted before cutout
// and mixup came in, but for the last, which has them.
func TestBatchesFrozen(t *testing.T) {
	digits, _ := open(t, "digits", Options{})
	moons, _ := open(t, "moons:100", Options{Seed: 3})
	for _, c := range []struct {
		name string
		d    *Dataset
		aug  Augment
		want string
	}{
		{"plain", digits, Augment{}, "0ace832cc876e982d9f655a6a51977b6fcf48ae799e467868ebf5bfc4b1ff180"},
		{"digits preset", digits, Augment{Pad: 1, Noise: .1}, "a8f07524a011b7d59ccec7ccbd979d4d58f8442bc57556b5268b93f1fafb47d9"},
		{"CIFAR preset", images(t, 200, 32, 32, 3), Augment{Pad: 4, Flip: true, Noise: .03}, "c7db2d99e023b11648f82bb7766ba4a8cec31eab619204f4273f94978a881880"},
		{"points", moons, Augment{Noise: .03}, "b155b32f416c6332a0a3b90a4924958ac94a8e7742227030a2102cc7da55e034"},
		{"cutout and mixup", digits, Augment{Pad: 1, Noise: .1, Cutout: 3, Mixup: 1}, "5b908e889cfb02c87e56b8615543ae21d0fd09d1f05df8e0c8230a6f30222b07"},
	} {
		b := batches(t, c.d, 64, 42, c.aug)
		h := sha256.New()
		for _, step := range []int{0, 1, 17, 1000} {
			batch := b.At(step)
			hashWords(h, batch.X, math.Float32bits)
			hashWords(h, batch.Labels, func(label int32) uint32 { return uint32(label) })
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != c.want {
			t.Errorf("%s: the batches of steps 0, 1, 17 and 1000 hash to %s, want %s", c.name, got, c.want)
		}
	}
}
