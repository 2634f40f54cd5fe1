package notebook

import (
	"encoding/base64"
	"html"
	"regexp"
	"slices"
	"strings"

	"ngebm/notebooks/internal/printable"
)

// part is a piece of a notebook with all the texts in it.
type part struct {
	cell   int    // which of the cells it is of, from 0; -1 for none
	what   string // "its output"
	isCode bool   // or text that a person wrote
	texts  []string
}

// parts returns all that a notebook holds: a page shows a part of it, and the notebook
// itself is next to the page.
func (d *Document) parts() []part {
	var parts []part
	rest := map[string]any{}
	for key, value := range d.tree {
		if key != "cells" {
			rest[key] = value
		}
	}
	cells, _ := d.tree["cells"].([]any)
	for i, c := range cells {
		others := map[string]any{}
		cell, _ := c.(map[string]any)
		for key, value := range cell {
			switch key {
			case "source":
				parts = append(parts, part{i, "its text", true, texts(value)})
			case "outputs":
				outputs, _ := value.([]any)
				parts = append(parts, part{i, "its output", false, append(streams(outputs), texts(value)...)})
			case "attachments":
				parts = append(parts, part{i, "its attachment", false, texts(value)})
			default:
				others[key] = value
			}
		}
		parts = append(parts, part{i, "its metadata", false, texts(others)})
	}
	return append(parts, part{-1, "the notebook's metadata", false, texts(rest)})
}

// texts returns the strings in a piece of JSON, those of a list joined, too: that is how
// notebooks hold lines.
func texts(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		joined, lines := joinLines(v)
		if lines {
			return []string{joined}
		}
		var all []string
		for _, item := range v {
			all = append(all, texts(item)...)
		}
		return append(all, joined)
	case map[string]any:
		var all []string
		for key, item := range v {
			all = append(all, key)
			if s, ok := item.(string); ok && len(s) < 1000 { // as in "token": "…"
				all = append(all, key+"="+s)
			}
			all = append(all, texts(item)...)
		}
		slices.Sort(all) // so that the same is found each time
		return all
	}
	return nil
}

// joinLines joins a list of strings, empty if it is none. lines is true if each but the
// last ends a line.
func joinLines(list []any) (joined string, lines bool) {
	var b strings.Builder
	lines = len(list) > 0
	for i, item := range list {
		s, ok := item.(string)
		if !ok {
			return "", false
		}
		lines = lines && (i == len(list)-1 || strings.HasSuffix(s, "\n"))
		b.WriteString(s)
	}
	return b.String(), lines
}

// streams returns what a cell printed, in one text for each stream, as a page shows it.
func streams(outputs []any) []string {
	printed := map[string]string{}
	for _, o := range outputs {
		output, _ := o.(map[string]any)
		if name, ok := output["name"].(string); ok {
			switch text := output["text"].(type) {
			case string:
				printed[name] += text
			case []any:
				joined, _ := joinLines(text)
				printed[name] += joined
			}
		}
	}
	return []string{printed["stdout"], printed["stderr"]}
}

var (
	markup  = regexp.MustCompile(`<[^<>]*>`)
	dataURI = regexp.MustCompile(`data:[\w.+/-]*(?:;[\w=.-]*)*;base64,([A-Za-z0-9+/=%]*(?:\s+[A-Za-z0-9+/=]{40,})*)`)
	base64s = regexp.MustCompile(`^[A-Za-z0-9+/\s]{40,}=*\s*$`)
)

// readings returns a text in the forms in which it could be read: without colors, without
// tags and escapes, and what it holds in base64.
func readings(text string) []string {
	var all []string
	if decoded, ok := fromBase64(text); ok {
		if isMedia(decoded) {
			return []string{words(decoded)}
		}
		all = append(all, decoded)
	}
	text = printable.StripColors(text)
	rest := dataURI.ReplaceAllStringFunc(text, func(uri string) string {
		_, data, _ := strings.Cut(uri, ",")
		decoded, err := decodeBase64(data)
		if err != nil {
			return uri
		}
		if isMedia(decoded) {
			all = append(all, words(decoded))
			return ""
		}
		all = append(all, decoded)
		return uri
	})
	all = append(all, rest)
	bare := html.UnescapeString(markup.ReplaceAllString(rest, ""))
	if strings.Contains(bare, "%") {
		bare = printable.UnescapePercent(bare)
	}
	if bare = strings.ReplaceAll(bare, `\/`, "/"); bare != rest {
		all = append(all, bare)
	}
	return all
}

// isMedia reports whether content is a picture by its first bytes. Its base64 says nothing;
// a list of paths may look like base64, too.
func isMedia(content string) bool {
	return slices.ContainsFunc([]string{"\x89PNG\r\n", "\xff\xd8\xff", "GIF8"}, func(magic string) bool { return strings.HasPrefix(content, magic) })
}

// words are the pieces of a picture's bytes that could be read, one a line: programs note
// there what they are and where a picture was saved.
func words(content string) string {
	const shortest = 6
	var b strings.Builder
	for begin, i := 0, 0; i <= len(content); i++ {
		if i < len(content) && content[i] >= ' ' && content[i] <= '~' {
			continue
		}
		if i-begin >= shortest {
			b.WriteString(content[begin:i] + "\n")
		}
		begin = i + 1
	}
	return b.String()
}

// fromBase64 decodes a text that is nothing else, as pictures are.
func fromBase64(text string) (string, bool) {
	if !base64s.MatchString(text) {
		return "", false
	}
	decoded, err := decodeBase64(text)
	return decoded, err == nil
}

func decodeBase64(text string) (string, error) {
	text = strings.TrimRight(strings.Join(strings.Fields(printable.UnescapePercent(text)), ""), "=")
	decoded, err := base64.RawStdEncoding.DecodeString(text)
	return string(decoded), err
}
