package publish

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"path/filepath"
	"slices"

	"ngebm/data/plain"
	"ngebm/notebooks/internal/notebook"
	"ngebm/notebooks/internal/picture"
	"ngebm/notebooks/internal/printable"
	"ngebm/notebooks/internal/proc"
	"ngebm/notebooks/internal/setup"
)

// pageScript turns a notebook into the parts of a page; they are described there.
//
//go:embed page.py
var pageScript string

// page is what a notebook becomes. What has a name in JSON comes from the script.
type page struct {
	Name           string        `json:"-"` // of the file, without .html
	Title          string        `json:"-"` // the notebook's first heading
	Summary        template.HTML `json:"-"` // the first sentence after it
	Time           string        `json:"-"` // how long the notebook says that it takes, empty if it does not
	Previous, Next *page         `json:"-"`
	Provenance     string        `json:"-"`

	Body     template.HTML    `json:"body"`
	Headings []heading        `json:"headings"` // of the sections
	Figures  []picture.Figure `json:"figures"`
	Formulas bool             `json:"formulas"` // whether it has any
	Mathjax  string           `json:"mathjax"`  // file of what sets them
	LeftOut  []string         `json:"left_out"` // what of the notebook's HTML the page does not have

	Warning string `json:"-"` // that outputs may be of other code, empty if nothing says so
	Error   string `json:"error"`
	Cell    *int   `json:"cell"` // that the error is about, nil for all
}

type heading struct {
	Level int           `json:"level"`
	ID    string        `json:"id"`
	HTML  template.HTML `json:"html"`
}

// Picture is the page's first figure, nil without one.
func (p *page) Picture() *picture.Figure {
	if len(p.Figures) == 0 {
		return nil
	}
	return &p.Figures[0]
}

// makePages converts notebooks. Links from one to another become links to its page. An
// error names each notebook that cannot be a page, and the cell.
func makePages(ctx context.Context, tools *setup.Tools, sources []source) ([]*page, error) {
	alive, end := context.WithCancel(ctx)
	defer end()
	var stderr printable.Tail
	cmd := proc.Command(alive, tools.Python, "-c", pageScript)
	cmd.Env, cmd.Stderr = setup.PythonEnv(), &stderr
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
		_ = to.Encode(map[string]string{"notebook": string(s.doc.Raw), "path": s.path})
	}
	_ = script.Close()
}

// takePages reads the script's answers. refused says which notebooks cannot be pages, and
// err why there is no answer.
func takePages(script io.Reader, sources []source) (pages []*page, refused, err error) {
	answers := json.NewDecoder(script)
	all := picture.NewSet()
	for _, s := range sources {
		pg := &page{Name: s.name, Provenance: s.provenance, Warning: s.warning}
		if err := answers.Decode(pg); err != nil {
			return nil, nil, fmt.Errorf("cannot make a page of %s: %w", plain.Text(filepath.Base(s.path)), err)
		}
		refused = errors.Join(refused, s.complete(pg, all))
		pages = append(pages, pg)
	}
	return pages, refused, nil
}

// complete adds to a page what is not the script's work, and checks its pictures.
func (s source) complete(pg *page, all *picture.Set) error {
	name := filepath.Base(s.path)
	if pg.Error != "" {
		return s.doc.ErrorIn(name, index(pg.Cell), pg.Error)
	}
	var shown picture.Sum
	for i := range pg.Figures {
		f := &pg.Figures[i]
		leftOut, err := all.Take(f, filepath.Dir(s.path), &shown)
		if err != nil {
			return s.doc.ErrorIn(name, index(f.Cell), err.Error())
		}
		pg.LeftOut = append(pg.LeftOut, leftOut...)
	}
	slices.Sort(pg.LeftOut)
	pg.LeftOut = slices.Compact(pg.LeftOut)
	title, summary := s.doc.Introduction()
	if pg.Title = plain.Text(title); title == "" {
		pg.Title = s.name
	}
	pg.Summary, pg.Time = notebook.InlineHTML(plain.Text(notebook.FirstSentence(summary))), plain.Text(notebook.FirstSentence(s.doc.LeadParagraph(notebook.TimeLead)))
	return nil
}

// index is -1 for none.
func index(cell *int) int {
	if cell == nil {
		return -1
	}
	return *cell
}
