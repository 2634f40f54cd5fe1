package notebook

import (
	"testing"
)

func TestIntroduction(t *testing.T) {
	doc, err := Parse("n", []byte(`{"nbformat":4,"cells":[{"cell_type":"markdown","source":["# A *title*\n","\n","**What you will see.** **First** of `+"`E`"+`, see [paper](https://x).\n","Goes on < here.\n","\n","Second."]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	title, summary := doc.Introduction()
	if want := "A *title*"; title != want {
		t.Errorf("title %q", title)
	}
	if want := "<strong>First</strong> of <code>E</code>, see paper. Goes on &lt; here."; string(InlineHTML(summary)) != want {
		t.Errorf("summary %q, not %q", InlineHTML(summary), want)
	}
	if want := "**First** of `E`, see [paper](https://x)."; FirstSentence(summary) != want {
		t.Errorf("first sentence %q, not %q", FirstSentence(summary), want)
	}
}

func TestFirstSentence(t *testing.T) {
	for paragraph, want := range map[string]string{
		"One.":                               "One.",
		"One, i.e. this\none. Two.":          "One, i.e. this one.",
		"Which (of two. Or three)? All.":     "Which (of two. Or three)?",
		"A network (Piland et al., X). *Em*": "A network (Piland et al., X).",
		"No end":                             "No end",
	} {
		if got := FirstSentence(paragraph); got != want {
			t.Errorf("%q: %q, not %q", paragraph, got, want)
		}
	}
}

func TestInline(t *testing.T) {
	for _, c := range []struct{ paragraph, html, text string }{
		{"so $p(y|x)$ stays while $E(x)$ changes.", "so <em>p(y|x)</em> stays while <em>E(x)</em> changes.", "so p(y|x) stays while E(x) changes."},
		{"$x$", "<em>x</em>", "x"},
		{"a < $b$", "a &lt; <em>b</em>", "a < b"},
		{"from $5 to $6", "from $5 to $6", "from $5 to $6"},
		{`with $\gamma$`, `with $\gamma$`, `with $\gamma$`},
	} {
		if got := string(InlineHTML(c.paragraph)); got != c.html {
			t.Errorf("%q: HTML %q, not %q", c.paragraph, got, c.html)
		}
		if got := InlineText(c.paragraph); got != c.text {
			t.Errorf("%q: text %q, not %q", c.paragraph, got, c.text)
		}
	}
}
