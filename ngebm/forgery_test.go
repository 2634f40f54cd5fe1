package ngebm

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/gomlx/compute/gobackend"
)

// loaded loads a run from its folder alone, with what a forger wrote in its cost.json.
func loaded(t *testing.T, dir string, cost any) (*Run, error) {
	t.Helper()
	backend, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	if cost != nil {
		text, err := json.Marshal(cost)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, costFile), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return Load(t.Context(), backend, dir, nil)
}

// No text of a stranger's folder reaches a person's terminal as more than one line, or as
// anything that steers it.
func TestForgedTextIsPlain(t *testing.T) {
	const forged = "\x1b]0;pwned\a\x1b[2J\nngebm: fine\u009b2J\u2028\u202e"
	h := newHonest(t)
	cfg := DefaultConfig("folder:"+forged, "mlp-3")
	cfg.Name, cfg.Margin = forged, Margin{Outliers: forged}
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h.info.Config, h.info.Network = text, &networkInfo{Sum: forged, GoMLX: forged}
	dir := h.store(t, func(head *header) {
		head.History.Terms[0], head.History.Stopped = forged, forged
		head.History.Events = []Event{{1, forged}}
		head.History.Evaluations[0].Checksum = forged
	})
	maker := Maker{Source: forged, Libraries: forged, Kind: forged}
	r, err := loaded(t, dir, Cost{Device: forged, Code: forged, Maker: maker, Earlier: []Maker{maker}})
	if err != nil {
		t.Fatal(err)
	}
	odd := func(r rune) bool { return !unicode.IsPrint(r) }
	all := r.Config.Name + r.Config.Data + r.Config.Margin.Outliers + fmt.Sprintf("%+v", r.Cost) + r.Warning + r.History.Stopped + strings.Join(r.History.Terms, "") + r.History.Events[0].What
	if strings.ContainsFunc(all, odd) || len(r.Notes) == 0 || strings.ContainsFunc(strings.Join(r.Notes, ""), odd) {
		t.Errorf("%q, %q", all, r.Notes)
	}
	for line := range strings.Lines(r.String()) {
		if line = strings.TrimSuffix(line, "\n"); strings.ContainsFunc(line, odd) || strings.HasPrefix(line, "ngebm: fine") {
			t.Errorf("it prints %q", line)
		}
	}
	h = newHonest(t)
	h.info.Hash = forged
	if _, err := loaded(t, h.store(t, nil), nil); err == nil || strings.ContainsFunc(err.Error(), odd) || !strings.Contains(err.Error(), "not 12 hex digits") {
		t.Errorf("a forged hash: %v", err)
	}
}
