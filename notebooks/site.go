package main

import (
	"context"
	"embed"
	"fmt"
	"html/template"
	"path/filepath"
	"strings"
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
	site, err := openSite(out)
	if err != nil {
		return err
	}
	defer site.close()
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
		if err := site.writePage(templates, "notebook.html", pg.Name+".html", pg); err != nil {
			return err
		}
		if err := site.writeWithPage(pg, sources[i]); err != nil {
			return err
		}
	}
	if err := site.writeShared(pages); err != nil {
		return err
	}
	exhibits, err := gallery(filepath.Join(p.root, "plots"))
	if err != nil {
		return err
	}
	if err := site.writeGallery(templates, exhibits); err != nil {
		return err
	}
	index := struct {
		Pages      []*page
		Provenance string
		Gallery    bool
	}{pages, provenance, len(exhibits) > 0}
	if err := site.writePage(templates, "index.html", "index.html", index); err != nil {
		return err
	}
	d.say("Published %s", filepath.Join(out, "index.html"))
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
