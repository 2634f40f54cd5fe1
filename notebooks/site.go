package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"ngebm/data/files"
)

//go:embed pages
var pageFiles embed.FS

// source is a notebook whose page is to be made.
type source struct {
	path string    // of the notebook; pictures that its text shows from files are in its folder
	name string    // of its page, without .html
	doc  *document // with its outputs, which the page shows and offers

	provenance string // a sentence at the foot of the page about where the outputs come from
	warning    string // one at its head that they may be of other code
}

// writeSite writes one page for each notebook and an index of them, which ends with
// provenance. The pages need nothing from the network and no host: what they show,
// pictures, style and what sets the formulas, MathJax, are files next to them, and all
// links are relative. They allow themselves nothing else, see head.html. The kinds of
// figures that package plots draws get a page too.
func writeSite(ctx context.Context, p *place, tools *toolbox, sources []source, out, provenance string, d *display) error {
	templates, err := template.ParseFS(pageFiles, "pages/*.html")
	if err != nil {
		return err
	}
	d.begin("pages")
	pages, err := makePages(ctx, tools, sources)
	if err == nil {
		err = tellFigures(p, pages, sources)
	}
	if err != nil {
		d.done("failed")
		return fmt.Errorf("nothing is published:\n%w", err)
	}
	d.done("made")
	if err := os.MkdirAll(filepath.Join(out, "figures"), 0o755); err != nil {
		return fmt.Errorf("cannot make %s: %w; choose a folder that can be written with -o", out, err)
	}
	for i, pg := range pages {
		if pg.Provenance == "" {
			pg.Provenance = provenance
		}
		if i > 0 {
			pg.Previous = pages[i-1]
		}
		if i < len(pages)-1 {
			pg.Next = pages[i+1]
		}
		if len(pg.LeftOut) > 0 {
			d.say("%s: left out of its page: %s", plain(filepath.Base(sources[i].path)), strings.Join(pg.LeftOut, ", "))
		}
		if err := writePage(templates, "notebook.html", filepath.Join(out, pg.Name+".html"), pg); err != nil {
			return err
		}
		if err := writeWithPage(pg, sources[i], out); err != nil {
			return err
		}
	}
	if err := writeShared(pages, out); err != nil {
		return err
	}
	exhibits, err := gallery(filepath.Join(p.root, "plots"))
	if err != nil {
		return err
	}
	if err := writeGallery(templates, exhibits, out); err != nil {
		return err
	}
	index := struct {
		Pages      []*page
		Provenance string
		Gallery    bool
	}{pages, provenance, len(exhibits) > 0}
	target := filepath.Join(out, "index.html")
	if err := writePage(templates, "index.html", target, index); err != nil {
		return err
	}
	d.say("Published %s", target)
	return nil
}

// tellFigures looks into pictures from files for what tells finds in the notebooks:
// drawing programs note where a picture was saved.
func tellFigures(p *place, pages []*page, sources []source) error {
	paths := machinePaths(p)
	for i, pg := range pages {
		for _, f := range pg.Figures {
			part := notebookPart{what: fmt.Sprintf("the picture %q", f.Path), texts: []string{string(f.Content), words(string(f.Content))}}
			if f.Path == "" {
				continue
			}
			if reason := part.tells(paths); reason != "" {
				return sources[i].doc.errorIn(filepath.Base(sources[i].path), index(f.Cell), reason)
			}
		}
	}
	return nil
}

func writePage(templates *template.Template, name, target string, content any) error {
	var text bytes.Buffer
	if err := templates.ExecuteTemplate(&text, name, content); err != nil {
		return err
	}
	return writeFile(target, text.Bytes())
}

// writeWithPage writes what one page leads to: its notebook and its figures, in place of
// those that an earlier page of that name had.
func writeWithPage(pg *page, s source, out string) error {
	if err := writeFile(filepath.Join(out, pg.Name+".ipynb"), s.doc.raw); err != nil {
		return err
	}
	folder := filepath.Join(out, "figures")
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if isFigureOf(pg.Name, entry.Name()) {
			if err := os.Remove(filepath.Join(folder, entry.Name())); err != nil {
				return err
			}
		}
	}
	return writeFigures(pg.Figures, out)
}

var figureNumber = regexp.MustCompile(`^-[0-9]+(-still)?\.(png|jpe?g|gif|svg)$`)

// isFigureOf tells whether a file is one of the figures of a page: of "run", "run-1.png"
// is one and "run-1-1.png" is not.
func isFigureOf(page, file string) bool {
	rest, ok := strings.CutPrefix(file, page)
	return ok && figureNumber.MatchString(rest)
}

// writeFigures writes pictures, and beside an animation its last one.
func writeFigures(figures []figure, out string) error {
	for _, f := range figures {
		if err := writeFile(filepath.Join(out, f.File), f.Content); err != nil {
			return err
		}
		if f.Still == "" {
			continue
		}
		last, err := lastFrame(f.Content)
		if err != nil {
			return fmt.Errorf("%s: %w", f.File, err)
		}
		if err := writeFile(filepath.Join(out, f.Still), last); err != nil {
			return err
		}
	}
	return nil
}

// writeGallery writes the page of the figures, if there are any.
func writeGallery(templates *template.Template, exhibits []exhibit, out string) error {
	if len(exhibits) == 0 {
		return nil
	}
	for _, e := range exhibits {
		if err := writeFigures(e.Figures, out); err != nil {
			return err
		}
	}
	return writePage(templates, "gallery.html", filepath.Join(out, "gallery.html"), exhibits)
}

// writeShared writes the files that all pages use.
func writeShared(pages []*page, out string) error {
	entries, err := pageFiles.ReadDir("pages")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) == ".html" { // the templates
			continue
		}
		content, err := pageFiles.ReadFile("pages/" + entry.Name())
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(out, entry.Name()), content); err != nil {
			return err
		}
	}
	for _, pg := range pages {
		if pg.Formulas {
			mathjax, err := os.ReadFile(pg.Mathjax)
			if err != nil {
				return err
			}
			return writeFile(filepath.Join(out, "mathjax.js"), mathjax)
		}
	}
	return nil
}

func writeFile(target string, content []byte) error {
	if err := files.WriteFile(target, content, 0o644); err != nil {
		return fmt.Errorf("cannot write %s: %w", target, err)
	}
	return nil
}
