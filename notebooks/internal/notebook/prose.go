package notebook

import (
	"html/template"
	"regexp"
	"strings"
)

// What a notebook's paragraphs begin with that say what it shows and how long it
// takes.
const (
	SeeLead  = "**What you will see.**"
	TimeLead = "**How long it takes.**"
)

// Introduction returns a notebook's first heading and the first paragraph after
// it, in Markdown, without SeeLead.
func (doc *Document) Introduction() (title, summary string) {
	for paragraph := range doc.paragraphs {
		heading, isHeading := strings.CutPrefix(paragraph, "# ")
		if title == "" && isHeading {
			title, paragraph, _ = strings.Cut(heading, "\n")
			title, paragraph = strings.TrimSpace(title), strings.TrimSpace(paragraph)
		}
		if title != "" && paragraph != "" && !strings.HasPrefix(paragraph, "#") {
			return title, strings.TrimSpace(strings.TrimPrefix(paragraph, SeeLead))
		}
	}
	return title, ""
}

// LeadParagraph returns the rest of the paragraph that begins with lead, empty if there is
// none.
func (doc *Document) LeadParagraph(lead string) string {
	for paragraph := range doc.paragraphs {
		if rest, ok := strings.CutPrefix(paragraph, lead); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// paragraphs yields those of the Markdown cells, trimmed, in order.
func (d *Document) paragraphs(yield func(string) bool) {
	for _, c := range d.Cells {
		if c.Kind != "markdown" {
			continue
		}
		for paragraph := range strings.SplitSeq(string(c.Source), "\n\n") {
			if !yield(strings.TrimSpace(paragraph)) {
				return
			}
		}
	}
}

// sentenceEnd is where one sentence ends, its group, and another begins.
var sentenceEnd = regexp.MustCompile(`([.?!][*_”")]*)\s+["“*_]*\p{Lu}`)

// FirstSentence cuts a paragraph after its first sentence, which does not end
// within parentheses.
func FirstSentence(paragraph string) string {
	paragraph = strings.Join(strings.Fields(paragraph), " ")
	for _, found := range sentenceEnd.FindAllStringSubmatchIndex(paragraph, -1) {
		first := paragraph[:found[3]]
		if strings.Count(first, "(") == strings.Count(first, ")") {
			return first
		}
	}
	return paragraph
}

// Markdown's marks within a paragraph.
var (
	markLink   = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
	markStrong = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	markEm     = regexp.MustCompile(`\*([^*]+)\*`)
	markCode   = regexp.MustCompile("`([^`]+)`")
	// of formulas those that are readable as they are, as in $E(x)$
	markMath = regexp.MustCompile(`\$([^\s$\\](?:[^$\\]*[^\s$\\])?)\$`)
)

// InlineHTML turns a paragraph of Markdown into HTML: emphasis, code and formulas without
// commands; of links only the text stays, as the whole paragraph leads to the notebook.
func InlineHTML(paragraph string) template.HTML {
	html := template.HTMLEscapeString(strings.Join(strings.Fields(paragraph), " "))
	html = markLink.ReplaceAllString(html, "$1")
	html = markStrong.ReplaceAllString(html, "<strong>$1</strong>")
	html = markEm.ReplaceAllString(html, "<em>$1</em>")
	html = markMath.ReplaceAllString(html, "<em>$1</em>")
	return template.HTML(markCode.ReplaceAllString(html, "<code>$1</code>"))
}

// InlineText turns a paragraph of Markdown into plain text.
func InlineText(paragraph string) string {
	text := strings.Join(strings.Fields(paragraph), " ")
	for _, mark := range []*regexp.Regexp{markLink, markStrong, markEm, markMath, markCode} {
		text = mark.ReplaceAllString(text, "$1")
	}
	return text
}
