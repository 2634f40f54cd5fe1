package notebook

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"ngebm/ngebm"
	"ngebm/plots"
)

// history is a short training history, with values that were made up.
func history() *ngebm.History {
	return &ngebm.History{
		StepsPerEpoch: 2, Terms: []string{"cross-entropy"}, Weights: []float64{1},
		Loss: []float32{.7, .5, .4, .3}, Values: [][]float32{{.7, .5, .4, .3}},
	}
}

func figure(t testing.TB, name string) *plots.Figure {
	t.Helper()
	f, err := plots.History(plots.Run{Name: name, History: history()})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// What Show sends goes through GoNB's wire (encoding/gob) and becomes Jupyter's
// display_data with width, height and alternative text.
func TestFigureData(t *testing.T) {
	f := figure(t, "NG-EBM")
	message, err := figureData(f)
	if err != nil {
		t.Fatal(err)
	}
	var wire bytes.Buffer
	if err := gob.NewEncoder(&wire).Encode(message); err != nil {
		t.Fatal(err)
	}
	var got protocol.DisplayData
	if err := gob.NewDecoder(&wire).Decode(&got); err != nil {
		t.Fatal(err)
	}
	metadata, err := json.Marshal(got.Metadata)
	if err != nil {
		t.Fatal(err)
	}
	width := int(f.Width.Dots(96) + 0.5)
	want := fmt.Sprintf(`{"alt":%q,"image/png":{"height":%d,"width":%d}}`, f.Alt, int(f.Height.Dots(96)+0.5), width)
	if string(metadata) != want {
		t.Errorf("metadata %s, want %s", metadata, want)
	}
	config, err := png.DecodeConfig(bytes.NewReader(got.Data[protocol.MIMEImagePNG].([]byte)))
	if err != nil || config.Width != 2*width {
		t.Errorf("%d pixels wide, want twice the %d it takes up: %v", config.Width, width, err)
	}
	if got.Data[protocol.MIMETextPlain] != f.Alt {
		t.Error("the plain text is not the alternative text")
	}
}

func TestAnimationData(t *testing.T) {
	a, err := plots.Animate(time.Second, figure(t, "first"), figure(t, "other"))
	if err != nil {
		t.Fatal(err)
	}
	var content bytes.Buffer
	if err := a.GIF(&content); err != nil {
		t.Fatal(err)
	}
	a.Alt = `a "stripe"`
	message, err := animationData(a)
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprint(message.Data["text/html"])
	_, encoded, _ := strings.Cut(shown, "data:image/gif;base64,")
	inside, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(encoded, `">`))
	if err != nil || !bytes.Equal(inside, content.Bytes()) || !strings.Contains(shown, `alt="a &#34;stripe&#34;"`) || message.Data["text/plain"] != a.Alt {
		t.Errorf("%v: %.300s", err, shown)
	}
}

func TestOutsideNotebook(t *testing.T) {
	a, err := plots.Animate(time.Second, figure(t, "NG-EBM"))
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"figure": Show(figure(t, "NG-EBM")), "animation": ShowAnimation(a),
	} {
		if err == nil || !strings.Contains(err.Error(), "the "+name+" needs a GoNB notebook") || !strings.Contains(err.Error(), "Save") {
			t.Errorf("%s: error %v, want one that says what to do", name, err)
		}
	}
	if Show(nil) == nil || ShowAnimation(nil) == nil {
		t.Error("nothing to show: no error")
	}
}

func TestHTML(t *testing.T) {
	f := figure(t, `a "name"`)
	for _, dpi := range []int{96, 192} {
		img, err := HTML(f, dpi)
		width := int(f.Width.Dots(96) + .5)
		if err != nil || !strings.Contains(img, `alt="Training history of a &#34;name&#34;`) || !strings.Contains(img, fmt.Sprintf(`width="%d"`, width)) {
			t.Fatalf("%v: %.300s", err, img)
		}
		_, encoded, _ := strings.Cut(img, "base64,")
		decoded, err := png.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(strings.TrimSuffix(encoded, `">`))))
		if err != nil || decoded.Bounds().Dx() != width*dpi/96 {
			t.Errorf("at %d pixels per inch: %v, %v", dpi, err, decoded.Bounds())
		}
	}
	if _, err := HTML(nil, 96); err == nil {
		t.Error("no figure: no error")
	}
}
