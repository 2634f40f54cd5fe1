package explorer

import (
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/comms"
)

// panelSource holds the sliders and buttons, and the script that sends what they show.
//
//go:embed panel.html
var panelSource string

var panelTemplate = template.Must(template.New("panel").Parse(panelSource))

// panelHTML is the panel of these sliders, which sends to an address in the kernel.
func panelHTML(id, address, kernel string, sliders []slider) (string, error) {
	var b strings.Builder
	err := panelTemplate.Execute(&b, map[string]any{"ID": id, "Address": address, "Kernel": kernel, "Sliders": sliders})
	return b.String(), err
}

// browser is a page in a browser, reached through GoNB: HTML is sent as outputs of the
// cell, messages arrive through GoNB's "comms". GoNB's widgets are not used: they wait
// for a browser without limit, and connect only to unencrypted servers without a prefix.
type browser struct {
	panel, picture string // names of outputs
	received       chan message
}

// connect shows the panel and waits for its first message. Without one it removes the
// panel again, and returns what the sliders need.
func connect(ctx context.Context, opts Options) (b *browser, needs string) {
	// Where nobody reads it, GoNB must not be asked to listen either: it would leave
	// a script in the notebook.
	if !gonbui.IsNotebook || opts.Kernel == "" {
		return nil, "a notebook that is open in a browser"
	}
	id := gonbui.UniqueId()
	b = &browser{panel: "panel-" + id, picture: "picture-" + id, received: make(chan message, 64)}
	address := "/explorer/" + id
	panel, err := panelHTML("explorer-"+id, address, opts.Kernel, opts.Start.sliders())
	if err != nil {
		return nil, fmt.Sprintf("a panel, which cannot be made (%v)", err)
	}
	gonbui.UpdateHTML(b.panel, panel) // first, since GoNB waits for its own connection when asked to listen
	comms.Subscribe(address, func(_, text string) {
		m, err := parseMessage(text)
		if err != nil {
			opts.notice("%v", err)
			return
		}
		select {
		case b.received <- m:
		default: // the next one holds the same
		}
	})
	select {
	case m := <-b.received:
		b.received <- m
		return b, ""
	case <-time.After(answerWithin):
		needs = fmt.Sprintf("an answer from the browser, and none came within %v (was the panel out of sight, as after Run All Cells? Run this cell by itself, with Shift+Enter)", answerWithin)
	case <-ctx.Done():
	}
	b.close()
	return nil, needs
}

func (b *browser) show(html string) { gonbui.UpdateHTML(b.picture, html) }

func (b *browser) messages() <-chan message { return b.received }

// close removes the panel, so that a saved notebook holds no script.
func (b *browser) close() {
	gonbui.UpdateHTML(b.panel, "")
	gonbui.Sync() // or the cell may end before GoNB has read it
}
