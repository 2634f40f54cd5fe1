package device

import (
	"context"
	"fmt"
	"strings"
)

// Finding is the result of opening one kind of device.
type Finding struct {
	Kind    string // [CUDA], [CPU], [Go], or the choice of the options where that is another
	Device  string // the open device in one line; "" where Err is set
	Err     error  // why it is not available, and the remedy
	Default bool   // this is what OpenContext gives
}

// String is one line for people.
func (f Finding) String() string {
	mark, text := " ", f.Device
	if f.Default {
		mark = "*"
	}
	if f.Err != nil {
		text = fmt.Sprintf("not available: %v", f.Err)
	}
	return fmt.Sprintf("%s %-4s  %s", mark, f.Kind, text)
}

// List opens every kind of device, and reports each with its plugin or with the reason why it
// is not available. Like [OpenContext] it gets XLA's CPU plugin if there is none yet.
func List(ctx context.Context, o Options) []Finding { return newOpener(o).list(ctx) }

func (o opener) list(ctx context.Context) []Finding {
	if o.Device == "" && o.Plugin != "" {
		o.Device = CPU // as OpenContext does
	}
	try := func(kind string, open func() (*Device, error)) Finding {
		d, err := open()
		if err != nil {
			return Finding{Kind: kind, Err: err}
		}
		defer d.Close()
		return Finding{Kind: kind, Device: d.String()}
	}
	var found []Finding
	for _, kind := range []string{CUDA, CPU, Go} {
		alone, asked := o, strings.TrimPrefix(o.Device, "xla:")
		if kind == Go || kind == CUDA && asked != CUDA || kind == CPU && asked == CUDA {
			alone.Plugin = "" // it is the other's
		}
		found = append(found, try(kind, func() (*Device, error) { return alone.named(ctx, kind) }))
	}
	for i, f := range found { // without a choice, the first that opened
		if f.Kind == o.Device || o.Device == "" && f.Err == nil {
			found[i].Default = true
			return found
		}
	}
	name := o.Device
	if o.DeviceFrom != "" {
		name = o.DeviceFrom + "=" + name
	}
	chosen := try(name, func() (*Device, error) { return o.open(ctx) })
	chosen.Default = true
	return append(found, chosen)
}
