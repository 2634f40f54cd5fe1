package notebook

import (
	"strings"
	"testing"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"ngebm/plots/table"
)

// A table is sent as HTML and as text; one with a fault, or none, is an error.
func TestTableData(t *testing.T) {
	tbl := table.New("c", "", "n")
	tbl.Add("a<b", 1)
	data, err := tableData(tbl)
	if err != nil {
		t.Fatal(err)
	}
	if html := data.Data[protocol.MIMETextHTML].(string); !strings.Contains(html, "a&lt;b</th>") || strings.Contains(html, "<script") {
		t.Errorf("%s", html)
	}
	if text := data.Data[protocol.MIMETextPlain]; text != "c\n     n\na<b  1\n" {
		t.Errorf("%q", text)
	}
	tbl.Add()
	if _, err := tableData(tbl); err == nil || !strings.Contains(err.Error(), "row 2 has 0 cells") {
		t.Errorf("%v", err)
	}
	if err := ShowTable(nil); err == nil {
		t.Error("no table is shown")
	}
	if err := ShowTable(table.New("c", "a")); err == nil || !strings.Contains(err.Error(), "outside one, write its Text") {
		t.Errorf("outside a notebook: %v", err)
	}
}
