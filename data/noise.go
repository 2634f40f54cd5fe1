package data

import (
	"fmt"
	"math"
)

// inputNoise is what [Dataset.WithNoise] adds.
type inputNoise struct {
	sigma float64
	seed  uint64
}

// WithNoise returns the dataset with normal noise of standard deviation sigma on every value that
// a network sees: sigma is in the network's units, in which pixels lie in [-1,1]. It is neither
// clipped nor rounded, as in the evaluations of JEM and NG-EBM, where sigma is .03. The noise of
// an example is a function of seed and its index. Pixels, Points and the name are d's; Source and
// Checksum tell. Take parts and make other sets before: of a set with noise they are an error. So
// is a sigma that is not above 0 and finite.
func (d *Dataset) WithNoise(sigma float64, seed uint64) (*Dataset, error) {
	if !(sigma > 0) || math.IsInf(sigma, 0) {
		return nil, fmt.Errorf("data: the deviation of the noise on %s is %v; it must be finite and above 0, such as .03", d.Name, sigma)
	}
	if err := d.withoutNoise(); err != nil {
		return nil, err
	}
	noisy := *d
	noisy.noise = &inputNoise{sigma, seed}
	noisy.Source = fmt.Sprintf("%s; normal noise of deviation %g, seed %d", d.Source, sigma, seed)
	noisy.Checksum = noisy.checksum()
	return &noisy, nil
}

// add adds example i's noise.
func (n *inputNoise) add(i int, x []float32) {
	addNoise(x, float32(n.sigma), stream(forNoise, n.seed, uint64(i), 0))
}

// withoutNoise is an error for a set with noise, of which no other can be made.
func (d *Dataset) withoutNoise() error {
	if d.noise == nil {
		return nil
	}
	return fmt.Errorf("data: %s: noise was added to it, so that no part or other set can be made of it; do that first", d.Name)
}
