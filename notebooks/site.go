package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"os"
	"path/filepath"

	"ngebm/data/files"
)

//go:embed pages
var pageFiles embed.FS

// source is a notebook whose page is to be made.
type source struct {
	outputs string // the notebook with its outputs, which the page shows and offers
	folder  string // where pictures are that its text shows from files
}

// writeSite writes one page for each notebook and an index of them. The pages need
// nothing from the network and no host: what they show, pictures, style and what
// sets the formulas, MathJax, lies beside them, and all links are relative.
// provenance is a sentence at the foot of each about where its outputs come from. The
// kinds of figures that package plots, in the given folder, draws get a page too.
func writeSite(ctx context.Context, tools *toolbox, sources []source, plots, out, provenance string, d *display) error {
	templates, err := template.ParseFS(pageFiles, "pages/*.html")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(out, "figures"), 0o755); err != nil {
		return fmt.Errorf("cannot make %s: %w; choose a folder that can be written with -o", out, err)
	}
	d.begin("pages")
	pages, err := makePages(ctx, tools, sources)
	if err != nil {
		d.done("failed")
		return err
	}
	d.done("made")
	for i, pg := range pages {
		pg.Provenance = provenance
		if i > 0 {
			pg.Previous = pages[i-1]
		}
		if i < len(pages)-1 {
			pg.Next = pages[i+1]
		}
		if err := writePage(templates, "notebook.html", filepath.Join(out, pg.Name+".html"), pg); err != nil {
			return err
		}
		if err := writeBeside(pg, sources[i], out); err != nil {
			return err
		}
	}
	if err := writeShared(pages, out); err != nil {
		return err
	}
	exhibits, err := gallery(plots)
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

func writePage(templates *template.Template, name, target string, content any) error {
	var text bytes.Buffer
	if err := templates.ExecuteTemplate(&text, name, content); err != nil {
		return err
	}
	return writeFile(target, text.Bytes())
}

// writeBeside writes what one page leads to: its notebook and its figures, in
// place of those that an earlier page of that name had.
func writeBeside(pg *page, s source, out string) error {
	notebook, err := os.ReadFile(s.outputs)
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(out, pg.Name+".ipynb"), notebook); err != nil {
		return err
	}
	earlier, err := filepath.Glob(escapeGlob(filepath.Join(out, "figures", pg.Name)) + "-[0-9]*")
	if err != nil {
		return err
	}
	for _, file := range earlier {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return writeFigures(pg.Figures, out)
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
	for _, name := range []string{"site.css", "site.js"} {
		content, err := pageFiles.ReadFile("pages/" + name)
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(out, name), content); err != nil {
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
