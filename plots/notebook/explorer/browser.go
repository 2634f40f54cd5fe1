package explorer

import (
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"log"
	"os"
	"strings"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/comms"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// panelSource is the sliders and buttons with what makes them speak.
//
//go:embed panel.html
var panelSource string

var panelTemplate = template.Must(template.New("panel").Parse(panelSource))

// panelHTML is the panel of these knobs, which speaks to an address in the kernel.
func panelHTML(id, address, kernel string, knobs []knob) (string, error) {
	var b strings.Builder
	err := panelTemplate.Execute(&b, map[string]any{"ID": id, "Address": address, "Kernel": kernel, "Knobs": knobs})
	return b.String(), err
}

// browser is a page in a browser, reached through GoNB: HTML goes out by its outputs,
// messages come in by its "comms". Of GoNB's widgets nothing is used: they wait for a
// browser for ever, and connect to unencrypted servers without a prefix only.
type browser struct {
	panel, picture string // names of outputs
	heard          chan message
}

// connect shows the panel and waits for its first message. Without one it takes the
// panel away again, and says what the sliders need.
func connect(ctx context.Context, knobs []knob) (b *browser, needs string) {
	// Jupyter's server tells every kernel which notebook it is for; what runs notebooks
	// without a server, and so without a browser, does not. There GoNB must not be asked
	// to listen either, for it would leave a script in the notebook.
	kernel := os.Getenv(protocol.GONB_JUPYTER_KERNEL_ID_ENV)
	if !gonbui.IsNotebook || kernel == "" || os.Getenv("JPY_SESSION_NAME") == "" {
		return nil, "a notebook that is open in a browser"
	}
	id := gonbui.UniqueId()
	b = &browser{panel: "panel-" + id, picture: "picture-" + id, heard: make(chan message, 64)}
	address := "/explorer/" + id
	panel, err := panelHTML("explorer-"+id, address, kernel, knobs)
	if err != nil {
		return nil, fmt.Sprintf("a panel, which cannot be made (%v)", err)
	}
	gonbui.UpdateHTML(b.panel, panel) // first, for GoNB waits for its own connection when asked to listen
	comms.Subscribe(address, func(_, text string) {
		m, err := parseMessage(text)
		if err != nil {
			log.Print(err)
			return
		}
		select {
		case b.heard <- m:
		default: // the next one says the same
		}
	})
	select {
	case m := <-b.heard:
		b.heard <- m
		return b, ""
	case <-time.After(answerWithin):
		needs = fmt.Sprintf("an answer from the browser, and none came within %v (was the panel out of sight, as after Run All Cells? Run this cell by itself, with Shift+Enter)", answerWithin)
	case <-ctx.Done():
	}
	b.close()
	return nil, needs
}

func (b *browser) show(html string) { gonbui.UpdateHTML(b.picture, html) }

func (b *browser) messages() <-chan message { return b.heard }

// close takes the panel away, so that a saved notebook holds no script.
func (b *browser) close() {
	gonbui.UpdateHTML(b.panel, "")
	gonbui.Sync() // or the cell may end before GoNB has read it
}
