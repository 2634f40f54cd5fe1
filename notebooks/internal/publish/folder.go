package publish

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"ngebm/data/files"
	"ngebm/data/plain"
	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/picture"
	"ngebm/notebooks/internal/printable"
)

// siteFolder is the folder that a site is written into, with its folder of figures. Neither may
// be a symbolic link: publishing must not change files elsewhere.
type siteFolder struct{ top, figures *files.Folder }

// openSite opens a site's folders and creates them if they do not exist.
func openSite(out string) (*siteFolder, error) {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make %q: %w; choose a folder that can be written with -o", out, printable.Cause(err))
	}
	top, err := files.OpenFolder(out)
	if err != nil {
		return nil, fmt.Errorf("cannot write pages: %w, or name another one with -o", err)
	}
	folder := filepath.Join(out, "figures")
	if err := os.Mkdir(folder, 0o755); err != nil && !top.Has("figures") {
		return nil, errors.Join(fmt.Errorf("cannot make %q: %w; choose a folder that can be written with -o", folder, printable.Cause(err)), top.Close())
	}
	figures, err := files.OpenFolder(folder)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot write pages: %w, or name another one with -o", err), top.Close())
	}
	return &siteFolder{top, figures}, nil
}

// checkWritable returns an error if a site's folders cannot be made or written. It leaves
// nothing behind.
func checkWritable(out string) error {
	figures := filepath.Join(out, "figures")
	var missing []string
	for folder := figures; folder != filepath.Dir(folder); folder = filepath.Dir(folder) {
		if _, err := os.Lstat(folder); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		missing = append(missing, folder)
	}
	defer func() {
		for _, folder := range missing {
			_ = os.Remove(folder) // is left if another process has written into it meanwhile
		}
	}()
	site, err := openSite(out)
	if err != nil {
		return err
	}
	defer site.close()
	for _, folder := range []*files.Folder{site.top, site.figures} {
		file, err := folder.Create(".writable", 0o644)
		if err != nil {
			return fmt.Errorf("cannot write pages: %w; choose a folder that can be written with -o", err)
		}
		file.Discard()
	}
	return nil
}

func (s *siteFolder) close() {
	_ = s.figures.Close() // nothing was written through the handles
	_ = s.top.Close()
}

// write writes a file of the site, by its name or by figures/ and its name.
func (s *siteFolder) write(name string, content []byte) error {
	folder := s.top
	if figure, ok := strings.CutPrefix(name, "figures/"); ok {
		folder, name = s.figures, figure
	}
	if err := folder.WriteFile(name, content, 0o644); err != nil {
		return fmt.Errorf("cannot write %w", err)
	}
	return nil
}

func (s *siteFolder) writePage(templates *template.Template, name, target string, content any) error {
	var text bytes.Buffer
	if err := templates.ExecuteTemplate(&text, name, content); err != nil {
		return err
	}
	return s.write(target, text.Bytes())
}

// writeWithPage writes the files that a page links to, its notebook and its figures, and
// removes the figures of an earlier page of that name.
func (s *siteFolder) writeWithPage(pg *page, of source) error {
	if err := s.write(pg.Name+".ipynb", of.doc.Raw); err != nil {
		return err
	}
	old, err := s.figuresOf(pg.Name)
	if err != nil {
		return err
	}
	for _, name := range old {
		// Another process that writes the site may have removed it meanwhile.
		if err := s.figures.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return s.writeFigures(pg.Figures)
}

// figuresOf returns the names of a page's figures in the folder of figures, sorted.
func (s *siteFolder) figuresOf(page string) ([]string, error) {
	names, err := s.figures.Names()
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !isFigureOf(page, name) })
	slices.Sort(names)
	return names, nil
}

var figureNumber = regexp.MustCompile(`^-[0-9]+(-poster|-still)?\.(png|jpe?g|gif|svg)$`)

// isFigureOf reports whether a file is a figure of a page: for page "run", "run-1.png" is one
// and "run-1-1.png" is not.
func isFigureOf(page, file string) bool {
	rest, ok := strings.CutPrefix(file, page)
	return ok && figureNumber.MatchString(rest)
}

// writeFigures writes pictures, and the last frame of each animation.
func (s *siteFolder) writeFigures(figures []picture.Figure) error {
	for _, f := range figures {
		if err := s.write(f.File, f.Content); err != nil {
			return err
		}
		if f.PosterFile == "" {
			continue
		}
		if err := s.write(f.PosterFile, f.Poster); err != nil {
			return err
		}
	}
	return nil
}

// writeGallery writes the gallery page, if there are exhibits.
func (s *siteFolder) writeGallery(templates *template.Template, exhibits []exhibit, from origin) error {
	if len(exhibits) == 0 {
		return nil
	}
	for _, e := range exhibits {
		if err := s.writeFigures(e.Figures); err != nil {
			return err
		}
	}
	return s.writePage(templates, "gallery.html", "gallery.html", struct {
		Exhibits []exhibit
		Origin   origin
	}{exhibits, from})
}

// writeShared writes the files that all pages use, MathJax unless it is nil.
func (s *siteFolder) writeShared(mathjax []byte) error {
	for _, name := range sharedFiles() {
		content, err := pageFiles.ReadFile("pages/" + name)
		if err != nil {
			return err
		}
		if err := s.write(name, content); err != nil {
			return err
		}
	}
	if mathjax == nil {
		return nil
	}
	return s.write("mathjax.js", mathjax)
}

// sharedFiles are the names of the files that all pages use, but for MathJax.
func sharedFiles() (names []string) {
	entries, _ := pageFiles.ReadDir("pages") // it is in the program
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) != ".html" { // the templates
			names = append(names, entry.Name())
		}
	}
	return names
}

// styleBegin is how the style sheet of every version begins: it must stay.
const styleBegin = "/* The pages that publish makes: one column to read, contents "

// isSite reports whether a folder holds a site that this program wrote, by its style sheet.
func isSite(out string) bool {
	style, err := files.ReadFile(filepath.Join(out, "site.css"), 1<<20)
	return err == nil && bytes.HasPrefix(style, []byte(styleBegin))
}

// others returns the pages of the folder that are not among these: those of an earlier site, each with
// its notebook.
func (s *siteFolder) others(pages []*page) (others []string, err error) {
	names, err := s.top.Names()
	if err != nil {
		return nil, err
	}
	for _, file := range names {
		name, isPage := strings.CutSuffix(file, ".html")
		isOurs := func(p *page) bool { return p.Name == name }
		if isPage && slices.Contains(names, name+".ipynb") && !slices.ContainsFunc(pages, isOurs) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	return others, nil
}

// sayOthers prints which pages of an earlier site are not in the index. Those whose notebooks are
// in one of the folders can be published again. The files of the rest are named, to be deleted.
func (s *siteFolder) sayOthers(others, folders []string, d *display.Display) error {
	var again []string
	for _, name := range others {
		exists, err := hasNotebook(name, folders)
		if err != nil {
			return err
		}
		if exists {
			again = append(again, name)
			continue
		}
		figures, err := s.figuresOf(name)
		if err != nil {
			return err
		}
		left := []string{name + ".html", name + ".ipynb"}
		for _, figure := range figures {
			left = append(left, "figures/"+figure)
		}
		d.Say("Its index no longer has %s, and no notebook in %s has that name. If it was renamed or deleted, these files in %s can be deleted: %s.",
			plain.Text(name), plain.Text(strings.Join(folders, ", ")), plain.Text(s.top.Path()), plain.Text(strings.Join(left, ", ")))
	}
	if len(again) > 0 {
		d.Say("Its index no longer has %s, pages that were published before: publish all of them together to have all there.", plain.Text(strings.Join(again, ", ")))
	}
	return nil
}
