// Package notebooktest writes notebooks and images for tests.
package notebooktest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Write writes a notebook of code cells; one that starts with "#" is text.
func Write(t *testing.T, path string, sources ...string) {
	t.Helper()
	cells := []map[string]any{}
	for i, source := range sources {
		c := map[string]any{"id": "c" + string(rune('a'+i)), "cell_type": "code", "source": source,
			"metadata": map[string]any{}, "outputs": []any{}, "execution_count": nil}
		if strings.HasPrefix(source, "#") {
			c = map[string]any{"id": c["id"], "cell_type": "markdown", "source": source, "metadata": map[string]any{}}
		}
		cells = append(cells, c)
	}
	raw, err := json.Marshal(map[string]any{
		"cells": cells, "nbformat": 4, "nbformat_minor": 5,
		"metadata": map[string]any{"kernelspec": map[string]any{"name": "gonb", "display_name": "Go (gonb)", "language": "go"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
}

func Markdown(text string) map[string]any {
	return map[string]any{"cell_type": "markdown", "source": text}
}

func Output(data map[string]any) map[string]any {
	return map[string]any{"cell_type": "code", "source": "f()", "execution_count": 1, "outputs": []any{
		map[string]any{"output_type": "display_data", "metadata": map[string]any{}, "data": data}}}
}

// JSON is a notebook of cells, which it gives metadata and ids where these are missing.
func JSON(t testing.TB, cells ...map[string]any) []byte {
	t.Helper()
	for i := range cells {
		if cells[i]["metadata"] == nil {
			cells[i]["metadata"] = map[string]any{}
		}
		if cells[i]["id"] == nil {
			cells[i]["id"] = fmt.Sprintf("c%d", i)
		}
	}
	raw, err := json.Marshal(map[string]any{"nbformat": 4, "nbformat_minor": 5, "metadata": map[string]any{}, "cells": cells})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// WriteStored writes a notebook that has run, of Markdown, and one picture that it shows.
func WriteStored(t *testing.T, folder, name, text string) string {
	t.Helper()
	raw := JSON(t, Markdown("# "+name+"\n\nText. "+text),
		map[string]any{"cell_type": "code", "source": "f()", "execution_count": 1, "outputs": []any{map[string]any{"output_type": "stream", "name": "stdout", "text": "x"}}})
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, name+".ipynb")
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
