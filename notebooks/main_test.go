package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		args string
		want options
	}{
		{"", options{verb: "lab"}},
		{"-no-browser -port 9000", options{verb: "lab", noBrowser: true, port: 9000}},
		{"setup", options{verb: "setup"}},
		{"publish -o site", options{verb: "publish", publish: publishOptions{out: "site"}}},
		{"-w publish a -timeout 10s b", options{verb: "publish", publish: publishOptions{write: true, cell: 10 * time.Second, names: []string{"a", "b"}}}},
	} {
		got, err := parse(strings.Fields(test.args), io.Discard)
		if err != nil {
			t.Errorf("%q: %v", test.args, err)
			continue
		}
		if test.want.publish.cell == 0 {
			test.want.publish.cell = 5 * time.Minute
		}
		if got.verb != test.want.verb || got.noBrowser != test.want.noBrowser || got.port != test.want.port ||
			got.publish.out != test.want.publish.out || got.publish.write != test.want.publish.write ||
			got.publish.cell != test.want.publish.cell || strings.Join(got.publish.names, " ") != strings.Join(test.want.publish.names, " ") {
			t.Errorf("%q: %+v, not %+v", test.args, *got, test.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for args, says := range map[string]string{
		"open":                     `unknown verb "open"`,
		"setup now":                `unexpected "now" after setup`,
		"setup -port 3":            "-port has no meaning for setup",
		"-o site":                  "-o has no meaning for lab",
		"publish":                  "publish needs -o DIR for pages, or -w",
		"publish -o s -port 80":    "-port has no meaning for publish",
		"-port 70000":              "-port 70000: a port is a number from 1 to 65535",
		"-port x":                  `invalid value "x"`,
		"publish -o s -timeout 0s": "must be above zero",
		"publish -w -html-only":    "-html-only runs nothing: leave out -w and -force",
		"-force":                   "-force has no meaning for lab",
		"-nobrowser":               "there is no flag -nobrowser (did you mean -no-browser?)",
	} {
		_, err := parse(strings.Fields(args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, not %q", args, err, says)
		}
	}
}

func TestHelp(t *testing.T) {
	var out bytes.Buffer
	if _, err := parse([]string{"-h"}, &out); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("error %v", err)
	}
	for _, want := range []string{"go run ./notebooks publish -o site", "-no-browser", "longest T a single cell may take (default 5m0s)"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("help lacks %q:\n%s", want, out.String())
		}
	}
}

func TestPublishNames(t *testing.T) {
	p := &place{notebooks: t.TempDir()}
	o := publishOptions{}
	if err := o.find(p); err == nil || !strings.Contains(err.Error(), "no notebooks") {
		t.Errorf("an empty folder: %v", err)
	}
	for _, name := range []string{"b", "a"} {
		writeNotebook(t, filepath.Join(p.notebooks, name+".ipynb"))
	}
	if err := o.find(p); err != nil || strings.Join(baseNames(o.paths), " ") != "a b" {
		t.Errorf("all notebooks: %v %v", o.paths, err)
	}
	o = publishOptions{names: []string{"b", filepath.Join(p.notebooks, "a.ipynb")}}
	if err := o.find(p); err != nil || strings.Join(baseNames(o.paths), " ") != "b a" {
		t.Errorf("by name: %v %v", o.paths, err)
	}
	o = publishOptions{names: []string{"c"}}
	if err := o.find(p); err == nil || err.Error() != `no notebook "c"; there are: a, b` {
		t.Errorf("a wrong name: %v", err)
	}
	o = publishOptions{names: []string{"a", "a.ipynb"}}
	if err := o.find(p); err == nil || !strings.Contains(err.Error(), "is named twice") {
		t.Errorf("a name twice: %v", err)
	}
}

// Outside a clone the program says where it has to be run.
func TestOutsideClone(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := newPlace(t.Context())
	if err == nil || !strings.Contains(err.Error(), "is not inside a clone of ngebm") {
		t.Errorf("%v", err)
	}
}

// What makes a folder of the cache runs once, is not seen half done, and is
// begun again after a failure or a kill.
func TestEnsure(t *testing.T) {
	d := &display{out: io.Discard, heartbeat: time.Hour}
	folder := filepath.Join(t.TempDir(), "made")
	broken := errors.New("broken")
	if err := ensure(t.Context(), folder, "a thing", d, fail(broken)); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Errorf("it is there after a failure")
	}
	if err := os.MkdirAll(filepath.Join(folder+".unfinished", "rest of a killed attempt"), 0o755); err != nil {
		t.Fatal(err)
	}
	made := make(chan error, 4)
	count := make(chan struct{}, 4)
	for range 4 {
		go func() {
			d := &display{out: io.Discard, heartbeat: time.Hour}
			made <- ensure(t.Context(), folder, "a thing", d, once(count))
		}()
	}
	for range 4 {
		if err := <-made; err != nil {
			t.Error(err)
		}
	}
	if len(count) != 1 {
		t.Errorf("it was made %d times", len(count))
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 || entries[0].Name() != "content" {
		t.Errorf("the folder holds %v (%v)", entries, err)
	}
}

func fail(err error) func(context.Context, string) error {
	return func(context.Context, string) error { return err }
}

// once makes a file, slowly, and counts how often.
func once(count chan<- struct{}) func(context.Context, string) error {
	return func(_ context.Context, dir string) error {
		count <- struct{}{}
		time.Sleep(200 * time.Millisecond)
		return os.WriteFile(filepath.Join(dir, "content"), nil, 0o644)
	}
}
