package notebook

import (
	"errors"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"ngebm/plots/table"
)

// ShowTable puts the table into the output of the notebook cell that is running, as HTML
// without script, and as aligned text for what shows no HTML. Outside a notebook it shows
// nothing and returns an error.
func ShowTable(t *table.Table) error {
	if t == nil {
		return errors.New("notebook: no table to show")
	}
	return send("table", "write its Text", func() (*protocol.DisplayData, error) { return tableData(t) })
}

// tableData is the table as Jupyter's display_data.
func tableData(t *table.Table) (*protocol.DisplayData, error) {
	html, err := t.HTML()
	if err != nil {
		return nil, err
	}
	text, err := t.Text()
	if err != nil {
		return nil, err
	}
	return &protocol.DisplayData{Data: map[protocol.MIMEType]any{
		protocol.MIMETextHTML:  html,
		protocol.MIMETextPlain: text,
	}}, nil
}
