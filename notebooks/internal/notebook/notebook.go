// Package notebook reads notebooks (nbformat 4) within limits, and finds in them failed cells
// and what should not be published: tokens and folders of this machine.
package notebook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"ngebm/data/files"
	"ngebm/data/plain"
	"ngebm/notebooks/internal/digest"
)

// Document is as much of a notebook's format (nbformat 4) as is looked at here.
type Document struct {
	Format   int    `json:"nbformat"`
	Cells    []Cell `json:"cells"`
	Metadata struct {
		Kernelspec struct {
			Name     string `json:"name"`
			Language string `json:"language"`
		} `json:"kernelspec"`
		Ran struct {
			Code string `json:"code"` // CodeHash of the cells that the outputs are of
			// Alone says that the notebook measures times: no other runs while it does.
			Alone bool `json:"alone"`
		} `json:"ngebm"` // the code is put there by executeScript
	} `json:"metadata"`

	Raw  []byte         `json:"-"` // all of it, as it was read
	tree map[string]any // of that
}

type Cell struct {
	Kind    string   `json:"cell_type"`
	Source  text     `json:"source"`
	Outputs []Output `json:"outputs"`
	Count   *int     `json:"execution_count"` // nil: has not run
}

// Output is what a code cell left: a stream of text, data to display, or an error.
type Output struct {
	Kind  string                     `json:"output_type"` // "stream", "display_data", "execute_result", "error"
	Name  string                     `json:"name"`        // of a stream: "stdout" or "stderr"
	Text  text                       `json:"text"`        // of a stream
	Data  map[string]json.RawMessage `json:"data"`        // by MIME type
	EName string                     `json:"ename"`       // of an error: its kind
	Value string                     `json:"evalue"`      // of an error, may be empty
	Trace []string                   `json:"traceback"`   // of an error

	// Metadata may describe a picture in words, for all formats or for PNG.
	Metadata struct {
		Alt string `json:"alt"`
		PNG struct {
			Alt string `json:"alt"`
		} `json:"image/png"`
	} `json:"metadata"`
}

// text is a string that a notebook holds as one or in lines.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	var lines []string
	if err := json.Unmarshal(raw, &lines); err == nil {
		*t = text(strings.Join(lines, ""))
		return nil
	}
	return json.Unmarshal(raw, (*string)(t))
}

// Content returns an output's data of one MIME type, empty without it.
func (o Output) Content(mime string) string {
	var t text
	if raw, ok := o.Data[mime]; ok && json.Unmarshal(raw, &t) != nil {
		return ""
	}
	return string(t)
}

// Read reads an .ipynb file.
func Read(path string) (*Document, error) {
	raw, err := files.ReadFile(path, maxNotebook)
	if err != nil {
		return nil, err
	}
	return Parse(filepath.Base(path), raw)
}

// Parse reads a notebook's JSON. What is refused here would be seen otherwise by
// what makes pages than by the checks before that.
func Parse(name string, raw []byte) (*Document, error) {
	doc := &Document{Raw: raw}
	if len(raw) > maxNotebook {
		return nil, fmt.Errorf("%s has %d bytes, more than the %d that a notebook may have: show less in it", plain.Text(name), len(raw), maxNotebook)
	}
	if err := checkJSON(raw); err != nil {
		return nil, fmt.Errorf("%s: %w", plain.Text(name), err)
	}
	err := uniqueKeys(raw)
	if err == nil {
		err = json.Unmarshal(raw, doc)
	}
	if err == nil {
		err = json.Unmarshal(raw, &doc.tree)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is not a notebook: %w; open it in JupyterLab and save it again", plain.Text(name), err)
	}
	switch {
	case doc.Format == 0:
		return nil, fmt.Errorf("%s is not a notebook: it has no nbformat; open it in JupyterLab and save it again", plain.Text(name))
	case doc.Format < 4:
		return nil, fmt.Errorf("%s is a notebook in format %d, which was replaced in 2015: open it in JupyterLab and save it, which writes format 4", plain.Text(name), doc.Format)
	case doc.Format > 4:
		return nil, fmt.Errorf("%s is a notebook in format %d, newer than the 4 that this program reads", plain.Text(name), doc.Format)
	}
	for i, c := range doc.Cells {
		if c.Kind != "code" && c.Kind != "markdown" && c.Kind != "raw" {
			return nil, fmt.Errorf("%s is not a notebook: cell %d is of kind %q; open it in JupyterLab and save it again", plain.Text(name), i+1, c.Kind)
		}
	}
	if err := doc.checkText(name); err != nil {
		return nil, err
	}
	return doc, nil
}

// uniqueKeys returns an error if an object of a JSON text has a key twice, or twice but for
// small and capital letters, as Go compares them ("ſ" is an s): readers differ in which they take.
func uniqueKeys(raw []byte) error {
	type object struct {
		keys  map[string]bool // nil for an array
		value bool            // a value comes next, not a key
	}
	var open []object
	for decoder := json.NewDecoder(bytes.NewReader(raw)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && len(open) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		var inside *object
		if len(open) > 0 {
			inside = &open[len(open)-1]
		}
		if key, ok := token.(string); ok && inside != nil && inside.keys != nil && !inside.value {
			if folded := strings.ToLower(strings.ToUpper(key)); inside.keys[folded] {
				return fmt.Errorf("it has %q twice in one place", key)
			} else {
				inside.keys[folded], inside.value = true, true
			}
			continue
		}
		switch token {
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
			continue
		}
		if inside != nil {
			inside.value = false
		}
		switch token {
		case json.Delim('{'):
			open = append(open, object{keys: map[string]bool{}})
		case json.Delim('['):
			open = append(open, object{})
		}
	}
}

// CodeHash identifies the code that a notebook's outputs are of; executeScript has the
// same.
func (d *Document) CodeHash() string {
	var code []string
	for _, c := range d.Cells {
		if c.Kind == "code" {
			code = append(code, string(c.Source))
		}
	}
	return digest.Of(code...)
}

// IsGo reports whether the kernel that runs the notebooks here is the one that it is for.
func (d *Document) IsGo() bool {
	spec := d.Metadata.Kernelspec
	return spec.Name == "" || spec.Name == "gonb" || strings.EqualFold(spec.Language, "go")
}

// FirstLine returns a cell's first line that is not empty.
func (c Cell) FirstLine() string {
	for line := range strings.Lines(string(c.Source)) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}

// CodeCells returns the cells that run, in order: cell 1 is the first of them.
func (d *Document) CodeCells() []Cell {
	var cells []Cell
	for _, c := range d.Cells {
		if c.Kind == "code" && c.FirstLine() != "" {
			cells = append(cells, c)
		}
	}
	return cells
}
