package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// document is as much of a notebook's format (nbformat 4) as is looked at here.
type document struct {
	Cells    []cell `json:"cells"`
	Metadata struct {
		Kernelspec struct {
			Name string `json:"name"`
		} `json:"kernelspec"`
	} `json:"metadata"`
}

type cell struct {
	Kind    string   `json:"cell_type"`
	Source  text     `json:"source"`
	Outputs []output `json:"outputs"`
	Count   *int     `json:"execution_count"` // nil: has not run
}

// output is what a code cell left: a stream of text, data to display, or an error.
type output struct {
	Kind  string                     `json:"output_type"` // "stream", "display_data", "execute_result", "error"
	Name  string                     `json:"name"`        // of a stream: "stdout" or "stderr"
	Text  text                       `json:"text"`        // of a stream
	Data  map[string]json.RawMessage `json:"data"`        // by MIME type
	Value string                     `json:"evalue"`      // of an error

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

// data returns an output's data of one MIME type, empty if it has none.
func (o output) data(mime string) string {
	var t text
	if raw, ok := o.Data[mime]; ok && json.Unmarshal(raw, &t) != nil {
		return ""
	}
	return string(t)
}

// readNotebook reads an .ipynb file.
func readNotebook(path string) (*document, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseNotebook(filepath.Base(path), raw)
}

func parseNotebook(name string, raw []byte) (*document, error) {
	var doc document
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("%s is not a notebook: %w; open it in JupyterLab and save it again", name, err)
	}
	return &doc, nil
}

// firstLine returns a cell's first line that is not empty.
func (c cell) firstLine() string {
	for line := range strings.Lines(string(c.Source)) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}

// codeCells returns the cells that run, in order: cell 1 is the first of them.
func (d *document) codeCells() []cell {
	var cells []cell
	for _, c := range d.Cells {
		if c.Kind == "code" && c.firstLine() != "" {
			cells = append(cells, c)
		}
	}
	return cells
}

// What GoNB prints on stderr, and no more than that, when a shell line of a cell
// ends in failure, and when it does not know a %command.
var (
	shellFailure = regexp.MustCompile(`(?m)^(?:exit status \d+|signal: .+)$`)
	unknownMagic = regexp.MustCompile(`"%\S*" unknown or not implemented yet\.`)
	colours      = regexp.MustCompile(`\x1b\[[0-9;]*m`)
)

// failure tells why a cell that has run has failed, in some lines of text; it is
// empty if it has not. Kernels report an error for what does not compile, a
// panic or a non-zero exit of a cell's program, but nothing for a shell line that
// fails or a %command that does not exist: those are found by what they print.
func failure(outputs []output) string {
	var stderr strings.Builder
	reason := ""
	for _, o := range outputs {
		switch {
		case o.Kind == "error":
			reason = o.Value
		case o.Kind == "stream" && o.Name == "stderr":
			stderr.WriteString(colours.ReplaceAllString(string(o.Text), ""))
		}
	}
	printed := stderr.String()
	for _, sign := range []*regexp.Regexp{unknownMagic, shellFailure} {
		if found := sign.FindString(printed); reason == "" && found != "" {
			reason = found
		}
	}
	if reason == "" {
		return ""
	}
	var tail lastLines
	tail.Write([]byte(printed))
	if said := tail.String(); said != reason {
		reason = strings.TrimSpace(reason + "\n" + said)
	}
	return reason
}
