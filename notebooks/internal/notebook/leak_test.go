package notebook

import (
	"strings"
	"testing"

	"ngebm/notebooks/internal/notebooktest"
)

// parsed is a notebook of cells.
func parsed(t *testing.T, cells ...map[string]any) *Document {
	t.Helper()
	doc, err := Parse("n.ipynb", notebooktest.JSON(t, cells...))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

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
	out := []any{map[string]any{"output_type": "stream", "name": "stdout", "text": "logged in with " + secret + "\n"}}
	for want, c := range map[string]map[string]any{
		"n.ipynb: cell 2 (%% x): its output holds what looks like a secret (hf_aB3…)":   {"cell_type": "code", "source": "%% x", "outputs": out},
		"n.ipynb: cell 2 (key := 1): its text holds what looks like a secret (hf_aB3…)": {"cell_type": "code", "source": "key := 1\n// " + secret},
		"n.ipynb: the text \"# Title\": its text holds what looks like a secret (hf_":   {"cell_type": "markdown", "source": "# Title\n" + secret},
	} {
		doc := parsed(t, map[string]any{"cell_type": "code", "source": "first"}, c)
		err := doc.CheckLeaks("n.ipynb", LocalFolders("", ""))
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%v, not %q", err, want)
		}
	}
}

func TestTellsPath(t *testing.T) {
	t.Setenv("HOME", "/home/ada")
	t.Setenv("TMPDIR", "/var/tmp/x")
	folders := LocalFolders("/home/ada/my work/ngebm", "/home/ada/.cache/ngebm")
	for printed, told := range map[string]bool{
		"saved in /home/ada/runs/moons":                true,
		"in /home/ada.":                                true,
		`<td>"/home/ada/my work/ngebm/runs"</td>`:      true,
		"/tmp/gonb_1234/main.go:10":                    true,
		"file:///home/ada/x":                           true,
		"https://example.org/home/ada/x":               false,
		"/home/adam":                                   false,
		"notes/home/ada":                               false,
		"trained in runs/moons-1f2e":                   false,
		"the folder /tmp is for temporary files":       false,
		"<img src=\"data:image/png;base64,AA/tmp/x\">": false,
	} {
		doc := parsed(t, map[string]any{"cell_type": "code", "source": "%%", "outputs": []any{map[string]any{"output_type": "stream", "name": "stdout", "text": printed}}})
		if strings.HasPrefix(printed, "<img") {
			doc = parsed(t, map[string]any{"cell_type": "code", "source": "%%", "outputs": []any{map[string]any{"output_type": "display_data", "data": map[string]any{"text/html": printed}}}})
		}
		if err := doc.CheckLeaks("n.ipynb", folders); (err != nil) != told {
			t.Errorf("%q: %v", printed, err)
		}
	}
}
