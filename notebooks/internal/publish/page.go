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

// pageScript turns a notebook into the parts of a page; its head describes them.
//
//go:embed page.py
var pageScript string

// page is a notebook's page. Fields with a JSON name come from pageScript.
type page struct {
	Name           string        `json:"-"` // of the file, without .html
	Title          string        `json:"-"` // the notebook's first heading
	Summary        template.HTML `json:"-"` // the first sentence after the title
	Description    string        `json:"-"` // the same, as text
	Origin         origin        `json:"-"` // of the repository that the notebook is in
	Time           string        `json:"-"` // how long the notebook takes by its own account, or empty
	Previous, Next *page         `json:"-"`
	Provenance     string        `json:"-"`

	Body     template.HTML    `json:"body"`
	Headings []heading        `json:"headings"` // section headings
	Figures  []picture.Figure `json:"figures"`
	Formulas bool             `json:"formulas"` // whether the page has formulas
	Mathjax  string           `json:"mathjax"`  // file name of MathJax
	LeftOut  []string         `json:"left_out"` // the parts of the notebook's HTML that were removed

	Warning string `json:"-"` // that outputs may be of other code, or empty
	Error   string `json:"error"`
	Cell    *int   `json:"cell"` // the cell of the error, nil for the whole notebook
}

type heading struct {
	Level int           `json:"level"`
	ID    string        `json:"id"`
	HTML  template.HTML `json:"html"`
}

// Picture returns the page's first figure, or nil.
func (p *page) Picture() *picture.Figure {
	if len(p.Figures) == 0 {
		return nil
	}
	return &p.Figures[0]
}

// makePages converts notebooks to pages. Links between notebooks become links between pages. An
// error names each notebook that cannot be converted, and the cell.
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

// order sends the notebooks to the script one by one, so that it holds one in memory at a time.
func order(script io.WriteCloser, sources []source) {
	published := map[string]string{}
	for _, s := range sources {
		published[s.path] = s.name
	}
	to := json.NewEncoder(script)
	_ = to.Encode(published) // takePages sees it if the script has ended
	for _, s := range sources {
		_ = to.Encode(map[string]string{"notebook": string(s.doc.Raw), "path": s.path})
	}
	_ = script.Close()
}

// takePages reads the script's answers. refused names the notebooks that cannot be converted;
// err is the reason for a missing answer.
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

// complete adds the parts of a page that do not come from the script, and checks its pictures.
func (s source) complete(pg *page, all *picture.Set) error {
	name := filepath.Base(s.path)
	if pg.Error != "" {
		return s.doc.ErrorIn(name, index(pg.Cell), plain.Text(pg.Error))
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
	pg.Description = plain.Text(description(s.doc))
	pg.Summary, pg.Time = notebook.InlineHTML(plain.Text(notebook.FirstSentence(summary))), plain.Text(notebook.FirstSentence(s.doc.LeadParagraph(notebook.TimeLead)))
	return nil
}

// index is -1 for no cell.
func index(cell *int) int {
	if cell == nil {
		return -1
	}
	return *cell
}
