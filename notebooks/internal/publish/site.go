package publish

import (
	"context"
	"embed"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ngebm/data/plain"
	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/notebook"
	"ngebm/notebooks/internal/setup"
)

//go:embed pages
var pageFiles embed.FS

// source is a notebook to make a page of.
type source struct {
	path string             // of the notebook; paths of pictures are relative to its folder
	name string             // of its page, without .html
	doc  *notebook.Document // with outputs
	read []byte             // the notebook as it was read before it was executed, where it was

	provenance string // the sentence at the foot of the page about the origin of its outputs
	warning    string // the sentence at the top of the page if outputs may be of other code
}

// Site writes a page for each notebook, an index that ends with provenance, and a gallery of
// the figures of package plots. Pages work without a network and on any host: pictures, style
// and MathJax are files next to them, and all links are relative. Their content security
// policy allows nothing else (head.html).
func Site(ctx context.Context, p *setup.Workspace, tools *setup.Tools, sources []source, out, provenance string, d *display.Display) error {
	templates, err := template.ParseFS(pageFiles, "pages/*.html")
	if err != nil {
		return err
	}
	d.Begin("pages")
	pages, err := makePages(ctx, tools, sources)
	if err == nil {
		err = checkFigures(p, pages, sources)
	}
	if err != nil {
		d.Done("failed")
		return fmt.Errorf("nothing is published:\n%w", err)
	}
	d.Done("made")
	// Both are made before the folder is opened: a site is not left half written.
	exhibits, err := gallery(filepath.Join(p.Root, "plots"))
	if err != nil {
		return fmt.Errorf("nothing is published: the gallery of figures: %w", err)
	}
	mathjax, err := mathjaxFor(pages)
	if err != nil {
		return fmt.Errorf("nothing is published: MathJax: %w", err)
	}
	from := originOf(ctx, p.Root)
	if err := ctx.Err(); err != nil {
		return err
	}
	site, err := openSite(out)
	if err != nil {
		return err
	}
	defer site.close()
	if err := site.writeShared(mathjax); err != nil { // first: they say whose folder it is
		return err
	}
	for i, pg := range pages {
		if pg.Provenance == "" {
			pg.Provenance = provenance
		}
		if isTracked(ctx, p, sources[i].path, from) {
			pg.Origin = from
		}
		if i > 0 {
			pg.Previous = pages[i-1]
		}
		if i < len(pages)-1 {
			pg.Next = pages[i+1]
		}
		if len(pg.LeftOut) > 0 {
			d.Say("%s: left out of its page: %s", plain.Text(filepath.Base(sources[i].path)), plain.Text(strings.Join(pg.LeftOut, ", ")))
		}
		if err := site.writePage(templates, "notebook.html", pg.Name+".html", pg); err != nil {
			return err
		}
		if err := site.writeWithPage(pg, sources[i]); err != nil {
			return err
		}
	}
	if err := site.writeGallery(templates, exhibits, from); err != nil {
		return err
	}
	index := struct {
		Pages      []*page
		Provenance string
		Gallery    bool
		Origin     origin
	}{pages, provenance, len(exhibits) > 0, from}
	if err := site.writePage(templates, "index.html", "index.html", index); err != nil {
		return err
	}
	d.Say("Published %s", filepath.Join(out, "index.html"))
	others, err := site.others(pages)
	if err != nil {
		return err
	}
	return site.sayOthers(others, notebookFolders(p, sources), d)
}

// notebookFolders returns the folders in which notebooks of a site may be: the workspace's and
// those of the notebooks that are published now.
func notebookFolders(p *setup.Workspace, sources []source) []string {
	folders := []string{p.Notebooks}
	for _, s := range sources {
		folders = append(folders, filepath.Dir(s.path))
	}
	slices.Sort(folders)
	return slices.Compact(folders)
}

// mathjaxFor reads MathJax if a page has formulas; else it is nil.
func mathjaxFor(pages []*page) ([]byte, error) {
	for _, pg := range pages {
		if pg.Formulas {
			return os.ReadFile(pg.Mathjax)
		}
	}
	return nil, nil
}

// checkFigures checks pictures that come from files for leaks.
func checkFigures(p *setup.Workspace, pages []*page, sources []source) error {
	folders := notebook.LocalFolders(p.Root, p.Caches()...)
	for i, pg := range pages {
		for _, f := range pg.Figures {
			if f.Path == "" {
				continue
			}
			if reason := notebook.LeakInPicture(f.Path, f.Content, folders); reason != "" {
				return sources[i].doc.ErrorIn(filepath.Base(sources[i].path), index(f.Cell), reason)
			}
		}
	}
	return nil
}
