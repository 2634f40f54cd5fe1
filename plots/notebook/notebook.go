// Package notebook shows figures and the progress of long work in a GoNB notebook. It is
// the one part of this module, with package explorer below it, that needs gonb:
//
//	figure, err := plots.History(runs...)  // a *plots.Figure
//	err = notebook.Show(figure)            // an image below the cell that runs
//	err = notebook.ShowTable(t)            // a *table.Table likewise
//
//	opts.Progress = notebook.Reporter(os.Stderr) // a live display, or a bar in a terminal
package notebook

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"image/png"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
	"gonum.org/v1/plot/vg"

	"ngebm/plots"
)

// screenDPI is what a browser takes for pixels per inch.
const screenDPI = 96

// screenPixels is a length in a browser's pixels.
func screenPixels(l vg.Length) int { return int(l.Dots(screenDPI) + 0.5) }

// Show puts the figure into the output of the notebook cell that is running, as
// a PNG (the one format that every viewer of notebooks shows, trusted or not) with
// twice the pixels of the size it takes up. Outside a notebook it shows nothing
// and returns an error.
func Show(f *plots.Figure) error {
	if f == nil {
		return errors.New("notebook: no figure to show")
	}
	return send("figure", "use its method Save", func() (*protocol.DisplayData, error) { return figureData(f) })
}

// ShowAnimation puts the animation into the output of the notebook cell that is running,
// as an img element of HTML, which carries the alternative text and shows in a notebook
// that is not trusted, too. Outside a notebook it shows nothing and returns an error.
func ShowAnimation(a *plots.Animation) error {
	if a == nil {
		return errors.New("notebook: no animation to show")
	}
	return send("animation", "use its method Save", func() (*protocol.DisplayData, error) { return animationData(a) })
}

// send sends a message to the notebook whose cell is running. Outside a notebook, an error
// says what to do instead.
func send(what, instead string, message func() (*protocol.DisplayData, error)) error {
	if !gonbui.IsNotebook {
		return fmt.Errorf("notebook: the %s needs a GoNB notebook to be shown in: outside one, %s", what, instead)
	}
	m, err := message()
	if err != nil {
		return err
	}
	gonbui.SendData(m)
	gonbui.Sync() // a cell that ends at once would lose what it shows
	return gonbui.Error()
}

// figureData is the figure as Jupyter's display_data. Width and height go with the
// image, where Jupyter looks for them; the alternative text goes next to it,
// where nbconvert finds it (GoNB's wire knows no map of mixed values), and is
// the output's plain text.
func figureData(f *plots.Figure) (*protocol.DisplayData, error) {
	var raw bytes.Buffer
	if err := f.PNG(&raw); err != nil {
		return nil, fmt.Errorf("notebook: %w", err)
	}
	return &protocol.DisplayData{
		Data: map[protocol.MIMEType]any{
			protocol.MIMEImagePNG:  raw.Bytes(),
			protocol.MIMETextPlain: f.Alt,
		},
		Metadata: map[string]any{
			string(protocol.MIMEImagePNG): map[string]int{
				"width":  screenPixels(f.Width),
				"height": screenPixels(f.Height),
			},
			"alt": f.Alt,
		},
	}, nil
}

// animationData is the animation as Jupyter's display_data.
func animationData(a *plots.Animation) (*protocol.DisplayData, error) {
	var raw bytes.Buffer
	if err := a.GIF(&raw); err != nil {
		return nil, fmt.Errorf("notebook: %w", err)
	}
	return &protocol.DisplayData{Data: map[protocol.MIMEType]any{
		protocol.MIMETextHTML:  imgElement("gif", raw.Bytes(), a.Width, a.Height, a.Alt),
		protocol.MIMETextPlain: a.Alt,
	}}, nil
}

// HTML returns the figure as an img element, for a display that is renewed
// while something runs. It is made for speed: a PNG that is hardly compressed, at
// a resolution in pixels per inch (96 is a screen's, 192 is sharp on a high-density
// one). What is to stay is shown with [Show].
func HTML(f *plots.Figure, dpi int) (string, error) {
	if f == nil {
		return "", errors.New("notebook: no figure to write as HTML")
	}
	var raw bytes.Buffer
	fast := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := fast.Encode(&raw, f.Image(dpi)); err != nil {
		return "", fmt.Errorf("notebook: %w", err)
	}
	return imgElement("png", raw.Bytes(), f.Width, f.Height, f.Alt), nil
}

// imgElement is an image with its bytes, of a format that browsers know. It is white
// below, as a notebook may be dark.
func imgElement(format string, raw []byte, width, height vg.Length, alt string) string {
	return fmt.Sprintf(`<img style="max-width:100%%;background:white" width="%d" height="%d" alt="%s" src="data:image/%s;base64,%s">`,
		screenPixels(width), screenPixels(height), html.EscapeString(alt), format, base64.StdEncoding.EncodeToString(raw))
}
