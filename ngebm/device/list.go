package device

import (
	"fmt"
	"io"

	"ngebm/ngebm/progress"
)

// Finding is what became of trying one device.
type Finding struct {
	Kind    string // [CUDA], [CPU], [Go], or the environment's choice where that is another
	Device  string // the open device in one line; "" where Err is set
	Err     error  // why it cannot be had, and the remedy
	Default bool   // this is what Open("") gives
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

// List tries every kind of device and says what it found, from where, or why
// not. Like [Open] it gets XLA's CPU plugin if there is none yet.
func List(report progress.Reporter) []Finding { return newOpener(report).list() }

func (o opener) list() []Finding {
	o.log = io.Discard // the findings say it all
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
		found = append(found, try(kind, func() (*Device, error) { return o.named(kind) }))
	}
	env, spec := o.environment()
	for i, f := range found { // without a choice, the first that opened
		if f.Kind == spec || spec == "" && f.Err == nil {
			found[i].Default = true
			return found
		}
	}
	chosen := try(env+"="+spec, func() (*Device, error) { return o.open("") })
	chosen.Default = true
	return append(found, chosen)
}
