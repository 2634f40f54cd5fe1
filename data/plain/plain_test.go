package plain

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "a b": "a b", `a "name"`: `a "name"`, "größe ε = .1": "größe ε = .1",
		"\x1b]0;pwned\a\x1b[2J\nngebm: fine": `\x1b]0;pwned\a\x1b[2J\nngebm: fine`,
		"a\tb":                               `a\tb`,
		"\u009b2J":                           `\u009b2J`, // one character that begins a control sequence
		"\u202egnp.exe":                      `\u202egnp.exe`,
		"\"\xff\"":                           `"\xff"`,
	} {
		if got := Text(text); got != want || Text(got) != got {
			t.Errorf("%q became %q, then %q, want %q", text, got, Text(got), want)
		}
	}
}

// Everything that JSON can put a text into.
func TestValuesReachesEveryText(t *testing.T) {
	type inner struct {
		Name string
		When time.Time
	}
	type named string
	type all struct {
		inner
		Text    string
		Named   named
		List    []string
		Pair    [2]string
		Numbers [][]float64
		Pointer *inner
		None    *inner
		Nested  map[string]map[named][]inner
		Empty   map[string]string
		hidden  string
	}
	const bad = `"\u001b[2J\nforged"`
	var v all
	text := fmt.Sprintf(`{"Text":%[1]s,"Named":%[1]s,"List":[%[1]s],"Pair":[%[1]s,%[1]s],"Numbers":[[1,2]],"Pointer":{"Name":%[1]s},"Nested":{%[1]s:{%[1]s:[{"Name":%[1]s,"When":"2026-01-02T03:04:05Z"}]}}}`, bad)
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	v.hidden = "as it was\n"
	Values(&v)
	hidden := v.hidden
	v.hidden = ""
	for _, nested := range v.Nested {
		for name, list := range nested {
			if list[0].When.Year() != 2026 || list[0].Name != string(name) {
				t.Errorf("%+v is lost", list)
			}
		}
	}
	shown := fmt.Sprintf("%+v %+v", v, *v.Pointer)
	if strings.ContainsFunc(shown, unicode.IsControl) || strings.Count(shown, `\x1b[2J\nforged`) != 9 || hidden != "as it was\n" || len(v.Numbers[0]) != 2 {
		t.Errorf("%q, %q", shown, hidden)
	}
}
