package main

import (
	"strings"
	"testing"
)

// None of these is one; they are made up to look like one.
func TestFindSecret(t *testing.T) {
	letters := strings.Repeat("aB3d", 10)
	for text, is := range map[string]bool{
		"token=" + letters:                                 true,
		`"api_key": "` + letters + `"`:                     true,
		"Authorization: Bearer " + letters:                 true,
		"http://127.0.0.1:8888/lab?token=" + letters:       true,
		"push with ghp_" + letters:                         true,
		"hf_" + letters:                                    true,
		"AKIA" + strings.ToUpper(letters[:16]):             true,
		"https://ada:" + letters + "@example.org/x":        true,
		"-----BEGIN RSA PRIVATE KEY-----":                  true,
		"eyJ" + letters + ".eyJ" + letters + "." + letters: true,
		"token := strings.TrimSpace(line)":                 false,
		"password = os.Getenv(name)":                       false,
		"checksum bd0cc56554bc…":                           false,
		"sha256 " + strings.Repeat("0123abcd", 8):          false,
		"risk-coverage-curves-of-all":                      false,
		"tokens: 1200":                                     false,
		"https://arxiv.org/abs/2304.01297, mail a@b.org":   false,
	} {
		if found := findSecret(text); (found != "") != is {
			t.Errorf("%q: found %q", text, found)
		}
	}
}

// The error names notebook and cell, and does not tell the secret on.
func TestTellsSecret(t *testing.T) {
	secret := "hf_" + strings.Repeat("aB3d", 10)
	out := []output{{Kind: "stream", Name: "stdout", Text: text("logged in with " + secret + "\n")}}
	for want, c := range map[string]cell{
		"n.ipynb: cell 2 (%% x): its output holds what looks like a secret (hf_aB3…)":   {Kind: "code", Source: "%% x", Outputs: out},
		"n.ipynb: cell 2 (key := 1): its text holds what looks like a secret (hf_aB3…)": {Kind: "code", Source: text("key := 1\n// " + secret)},
		"n.ipynb: the text \"# Title\" holds what looks like a secret (hf_aB3…)":        {Kind: "markdown", Source: text("# Title\n" + secret)},
	} {
		doc := &document{Cells: []cell{{Kind: "code", Source: "first"}, c}}
		err := tells(&place{}, "n.ipynb", doc)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%v, not %q", err, want)
		}
	}
}
