package measure

import (
	"errors"
	"io/fs"

	"ngebm/ngebm/attack"
	"ngebm/ngebm/internal/cache"
)

// begun is how far the attacks of a measurement have come, which is stored until its report is.
type begun struct {
	Run     string                           `json:"run"`
	Attacks map[string]*attack.State         `json:"attacks"`
	Masking map[string]*attack.MaskingReport `json:"masking,omitempty"` // that are done
	store   func()                           // nil stores nothing
}

// readBegun returns what is stored in a run's folder of a measurement that was interrupted. What is
// attacked later is stored there.
func readBegun(dir, run, name string) (*begun, error) {
	b, err := cache.Read[begun](dir, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		b = &begun{Run: run}
	case err != nil:
		return nil, err
	case b.Run != run:
		return nil, cache.WrongRun(dir, name, b.Run)
	}
	if b.Attacks == nil {
		b.Attacks = map[string]*attack.State{}
	}
	if b.Masking == nil {
		b.Masking = map[string]*attack.MaskingReport{}
	}
	// An attack does not stop because it cannot be stored; the report's writing will say why.
	b.store = func() { _ = cache.Write(dir, name, b) }
	return b, nil
}

// nothingBegun stores nothing.
func nothingBegun() *begun {
	return &begun{Attacks: map[string]*attack.State{}, Masking: map[string]*attack.MaskingReport{}}
}

func (b *begun) keep(name string, s *attack.State) {
	b.Attacks[name] = s
	b.changed()
}

func (b *begun) keepMasking(name string, m *attack.MaskingReport) {
	b.Masking[name] = m
	b.changed()
}

func (b *begun) changed() {
	if b.store != nil {
		b.store()
	}
}
