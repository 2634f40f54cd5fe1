package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/google/renameio/v2"
)

// pageScript turns a notebook into the parts of a page.
//
//go:embed python/page.py
var pageScript string

//go:embed pages
var pageFiles embed.FS

// page is what a notebook becomes.
type page struct {
	Name       string // of the file, without .html
	Title      string // the notebook's first heading
	Summary    template.HTML
	Figure     string // file name of its first picture, empty if it has none
	Body       template.HTML
	CSS        template.CSS
	Light      template.CSS // colours of code
	Dark       template.CSS
	figure     []byte
	mathjaxLib string
}

// writeSite writes one page for each executed notebook and an index of them. The
// pages need nothing from the network: pictures are inside them, and what sets
// the formulas, MathJax, lies beside them.
func writeSite(ctx context.Context, tools *toolbox, executed, sources []string, out string, d *display) error {
	templates, err := template.ParseFS(pageFiles, "pages/*.html")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("cannot make %s: %w; choose a folder that can be written with -o", out, err)
	}
	css, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		return err
	}
	var pages []*page
	for i, path := range executed {
		pg, err := makePage(ctx, tools, path, filepath.Dir(sources[i]))
		if err != nil {
			return fmt.Errorf("cannot make a page of %s: %w", filepath.Base(path), err)
		}
		pg.CSS = template.CSS(css)
		if err := writePage(templates, "notebook.html", filepath.Join(out, pg.Name+".html"), pg); err != nil {
			return err
		}
		if pg.figure != nil {
			if err := renameio.WriteFile(filepath.Join(out, pg.Figure), pg.figure, 0o644); err != nil {
				return err
			}
		}
		pages = append(pages, pg)
	}
	mathjax, err := os.ReadFile(pages[0].mathjaxLib)
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(filepath.Join(out, "mathjax.js"), mathjax, 0o644); err != nil {
		return err
	}
	index := struct {
		CSS   template.CSS
		Pages []*page
	}{template.CSS(css), pages}
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
	if err := renameio.WriteFile(target, text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("cannot write %s: %w", target, err)
	}
	return nil
}

// makePage converts one executed notebook; pictures that its text shows from
// files are looked for in folder.
func makePage(ctx context.Context, tools *toolbox, path, folder string) (*page, error) {
	doc, err := readNotebook(path)
	if err != nil {
		return nil, err
	}
	var stderr lastLines
	cmd := command(ctx, tools.python, "-c", pageScript, path, folder)
	cmd.Env, cmd.Stderr = pythonEnv(), &stderr
	raw, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, stderr.String())
	}
	var parts struct{ Body, Light, Dark, Mathjax string }
	if err := json.Unmarshal(raw, &parts); err != nil {
		return nil, err
	}
	name := baseNames([]string{path})[0]
	title, summary := introduction(doc)
	if title == "" {
		title = name
	}
	pg := &page{
		Name: name, Title: title, Summary: summary,
		Body: template.HTML(parts.Body), Light: template.CSS(parts.Light), Dark: template.CSS(parts.Dark),
		mathjaxLib: parts.Mathjax,
	}
	if pg.figure = firstFigure(doc); pg.figure != nil {
		pg.Figure = name + ".png"
	}
	return pg, nil
}

// introduction returns a notebook's first heading and the first paragraph after
// it.
func introduction(doc *document) (title string, summary template.HTML) {
	for _, c := range doc.Cells {
		if c.Kind != "markdown" {
			continue
		}
		for paragraph := range strings.SplitSeq(string(c.Source), "\n\n") {
			paragraph = strings.TrimSpace(paragraph)
			heading, isHeading := strings.CutPrefix(paragraph, "# ")
			switch {
			case title == "" && isHeading:
				title, paragraph, _ = strings.Cut(heading, "\n")
				title = strings.TrimSpace(title)
				if paragraph = strings.TrimSpace(paragraph); paragraph != "" {
					return title, inline(paragraph)
				}
			case title != "" && paragraph != "" && !strings.HasPrefix(paragraph, "#"):
				return title, inline(paragraph)
			}
		}
	}
	return title, ""
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

// inHTML finds a PNG inside HTML.
var inHTML = regexp.MustCompile(`data:image/png;base64,([A-Za-z0-9+/=]+)`)

// firstFigure returns the first PNG among the outputs, nil if there is none.
func firstFigure(doc *document) []byte {
	for _, c := range doc.codeCells() {
		for _, o := range c.Outputs {
			letters := o.data("image/png")
			if found := inHTML.FindStringSubmatch(o.data("text/html")); letters == "" && found != nil {
				letters = found[1]
			}
			letters = strings.Join(strings.Fields(letters), "")
			if picture, err := base64.StdEncoding.DecodeString(letters); err == nil && len(picture) > 0 {
				return picture
			}
		}
	}
	return nil
}
