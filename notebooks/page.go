package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// pageScript turns a notebook into the parts of a page; they are described there.
//
//go:embed python/page.py
var pageScript string

// page is what a notebook becomes. What has a name in JSON comes from the script.
type page struct {
	Name           string        `json:"-"` // of the file, without .html
	Title          string        `json:"-"` // the notebook's first heading
	Summary        template.HTML `json:"-"` // the first sentence after it
	Time           string        `json:"-"` // how long the notebook says that it takes, empty if it does not
	Previous, Next *page         `json:"-"`
	Provenance     string        `json:"-"`

	Body     template.HTML `json:"body"`
	Headings []heading     `json:"headings"` // of the sections
	Figures  []figure      `json:"figures"`
	Formulas bool          `json:"formulas"` // whether it has any
	Mathjax  string        `json:"mathjax"`  // file of what sets them
	LeftOut  []string      `json:"left_out"` // what of the notebook's HTML the page does not have

	Warning string `json:"-"` // that outputs may be of other code, empty if nothing says so
	Error   string `json:"error"`
	Cell    *int   `json:"cell"` // that the error is about, nil for all
}

type heading struct {
	Level int           `json:"level"`
	ID    string        `json:"id"`
	HTML  template.HTML `json:"html"`
}

type figure struct {
	File    string `json:"file"` // below the site's folder
	Alt     string `json:"alt"`
	Width   int    `json:"width"` // in CSS pixels, 0 where the notebook does not say
	Height  int    `json:"height"`
	Content []byte `json:"content"`
	Path    string `json:"path"` // where the notebook says that the picture is, empty for one within it
	Kind    string `json:"kind"` // ".png"
	Cell    *int   `json:"cell"`
	Still   string `json:"still"` // the file of an animation's last picture, empty for others
	still   []byte // what that file holds
}

// Tall tells whether a figure is so high that on the index its upper part says more
// than all of it, small.
func (f *figure) Tall() bool { return 3*f.Height > 2*f.Width }

// Picture is the page's first figure, nil if it has none.
func (p *page) Picture() *figure {
	if len(p.Figures) == 0 {
		return nil
	}
	return &p.Figures[0]
}

// makePages converts notebooks. Links from one to another become links to its page. An
// error names each notebook that cannot be a page, and the cell.
func makePages(ctx context.Context, tools *toolbox, sources []source) ([]*page, error) {
	alive, end := context.WithCancel(ctx)
	defer end()
	var stderr lastLines
	cmd := command(alive, tools.python, "-c", pageScript)
	cmd.Env, cmd.Stderr = pythonEnv(), &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go order(stdin, sources)
	pages, refused, err := takePages(stdout, sources)
	if err != nil {
		end()
	}
	switch ended := cmd.Wait(); {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("%w\n%s", errors.Join(err, ended), stderr.String())
	}
	return pages, refused
}

// order asks the script for the pages, one after the other, so that it holds one notebook
// at a time.
func order(script io.WriteCloser, sources []source) {
	published := map[string]string{}
	for _, s := range sources {
		published[s.path] = s.name
	}
	to := json.NewEncoder(script)
	_ = to.Encode(published) // whoever reads the answers sees that the script has ended
	for _, s := range sources {
		_ = to.Encode(map[string]string{"notebook": string(s.doc.raw), "path": s.path})
	}
	_ = script.Close()
}

// takePages reads the script's answers. refused says which notebooks cannot be pages, and
// err why there is no answer.
func takePages(script io.Reader, sources []source) (pages []*page, refused, err error) {
	answers := json.NewDecoder(script)
	all := newPictures()
	for _, s := range sources {
		pg := &page{Name: s.name, Provenance: s.provenance, Warning: s.warning}
		if err := answers.Decode(pg); err != nil {
			return nil, nil, fmt.Errorf("cannot make a page of %s: %w", plain(filepath.Base(s.path)), err)
		}
		refused = errors.Join(refused, s.complete(pg, all))
		pages = append(pages, pg)
	}
	return pages, refused, nil
}

// complete adds to a page what is not the script's work, and checks its pictures.
func (s source) complete(pg *page, all *pictures) error {
	name := filepath.Base(s.path)
	if pg.Error != "" {
		return s.doc.errorIn(name, index(pg.Cell), pg.Error)
	}
	var shown pictureSum
	for i := range pg.Figures {
		f := &pg.Figures[i]
		leftOut, err := all.take(f, filepath.Dir(s.path), &shown)
		if err != nil {
			return s.doc.errorIn(name, index(f.Cell), err.Error())
		}
		pg.LeftOut = append(pg.LeftOut, leftOut...)
	}
	slices.Sort(pg.LeftOut)
	pg.LeftOut = slices.Compact(pg.LeftOut)
	title, summary := introduction(s.doc)
	if pg.Title = plain(title); title == "" {
		pg.Title = s.name
	}
	pg.Summary, pg.Time = inline(plain(firstSentence(summary))), plain(firstSentence(told(s.doc, timeLead)))
	return nil
}

// index is -1 for none.
func index(cell *int) int {
	if cell == nil {
		return -1
	}
	return *cell
}

// What a notebook's paragraphs begin with that tell what it shows and how long it
// takes.
const (
	seeLead  = "**What you will see.**"
	timeLead = "**How long it takes.**"
)

// introduction returns a notebook's first heading and the first paragraph after
// it, in Markdown, without seeLead.
func introduction(doc *document) (title, summary string) {
	for paragraph := range doc.paragraphs {
		heading, isHeading := strings.CutPrefix(paragraph, "# ")
		if title == "" && isHeading {
			title, paragraph, _ = strings.Cut(heading, "\n")
			title, paragraph = strings.TrimSpace(title), strings.TrimSpace(paragraph)
		}
		if title != "" && paragraph != "" && !strings.HasPrefix(paragraph, "#") {
			return title, strings.TrimSpace(strings.TrimPrefix(paragraph, seeLead))
		}
	}
	return title, ""
}

// told returns the rest of the paragraph that begins with lead, empty if there is
// none.
func told(doc *document, lead string) string {
	for paragraph := range doc.paragraphs {
		if rest, ok := strings.CutPrefix(paragraph, lead); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// paragraphs yields those of the Markdown cells, trimmed, in order.
func (d *document) paragraphs(yield func(string) bool) {
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

// firstSentence cuts a paragraph after its first sentence, which does not end
// within parentheses.
func firstSentence(paragraph string) string {
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
)

// inline turns a paragraph of Markdown into HTML: emphasis and code; of links
// only the text stays, as the whole paragraph leads to the notebook.
func inline(paragraph string) template.HTML {
	html := template.HTMLEscapeString(strings.Join(strings.Fields(paragraph), " "))
	html = markLink.ReplaceAllString(html, "$1")
	html = markStrong.ReplaceAllString(html, "<strong>$1</strong>")
	html = markEm.ReplaceAllString(html, "<em>$1</em>")
	return template.HTML(markCode.ReplaceAllString(html, "<code>$1</code>"))
}
