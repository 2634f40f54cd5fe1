package progress

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rivo/uniseg"
)

func TestReportString(t *testing.T) {
	second := time.Second
	tests := []struct {
		name   string
		report Report
		want   string
	}{
		{"running",
			Report{Task: "train moons", Done: 120, Total: 300, Unit: "steps", Elapsed: 2 * second, Terms: []Term{{"cross-entropy", 0.3121}}},
			"train moons: 40 %, 120 of 300 steps, 60.0 steps/s, 3.0 s left, cross-entropy 0.312"},
		{"done",
			Report{Task: "train moons", Done: 300, Total: 300, Unit: "steps", Elapsed: 5 * second, Finished: true},
			"train moons: 300 steps in 5.0 s (60.0 steps/s)"},
		{"stopped early",
			Report{Task: "train moons", Done: 120, Total: 300, Unit: "steps", Elapsed: 2 * second, Finished: true},
			"train moons: stopped at 120 of 300 steps after 2.0 s (60.0 steps/s)"},
		{"resumed: speed and time left count this process's 20 steps only",
			Report{Task: "t", Done: 120, Start: 100, Total: 300, Unit: "steps", Elapsed: 2 * second},
			"t: 40 %, 120 of 300 steps, 10.0 steps/s, 18 s left"},
		{"resumed and done",
			Report{Task: "t", Done: 300, Start: 100, Total: 300, Unit: "steps", Elapsed: 20 * second, Finished: true},
			"t: 300 steps, resumed at 100, in 20 s (10.0 steps/s)"},
		{"bytes",
			Report{Task: "download", Done: 1_500_000, Total: 19_200_000, Unit: "bytes", Elapsed: second / 10},
			"download: 7 %, 1.5 of 19.2 MB, 15.0 MB/s, 1.2 s left"},
		{"bytes of unknown total",
			Report{Task: "download", Done: 900, Unit: "bytes", Elapsed: second},
			"download: 900 bytes, 900 bytes/s"},
		{"nothing yet", Report{Task: "t", Total: 10, Unit: "images"}, "t: 0 %, 0 of 10 images"},
		{"slow", Report{Task: "t", Done: 1, Total: 3, Unit: "images", Elapsed: 60 * second}, "t: 33 %, 1 of 3 images, 1.00 images/min, 2 min 00 s left"},
		{"before the first step", Report{Task: "t", Total: 480, Unit: "steps", Elapsed: second, Preparing: "compiling"}, "t: 0 %, 0 of 480 steps, compiling"},
		{"the first step tells no speed", Report{Task: "t", Done: 1, Total: 480, Unit: "steps", Elapsed: second, Preparing: "compiling", Prepared: second}, "t: 0 %, 1 of 480 steps"},
		{"compiling is no part of the speed", Report{Task: "t", Done: 101, Total: 201, Unit: "steps", Elapsed: 3 * second, Prepared: second}, "t: 50 %, 101 of 201 steps, 50.0 steps/s, 2.0 s left"},
		{"but of the whole", Report{Task: "t", Done: 201, Total: 201, Unit: "steps", Elapsed: 5 * second, Prepared: second, Finished: true}, "t: 201 steps in 5.0 s (40.2 steps/s)"},
		{"NaN", Report{Task: "t", Done: 1, Unit: "steps", Terms: []Term{{"loss", math.NaN()}, {"x", math.Inf(1)}}}, "t: 1 steps, loss NaN, x +Inf"},
		{"only what is going on", Report{Task: "wait for another process"}, "wait for another process"},
		{"empty", Report{}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.report.String(); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestDurationAndTerm(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0.0 s", 0: "0.0 s", 9940 * time.Millisecond: "9.9 s", 9990 * time.Millisecond: "10 s",
		59600 * time.Millisecond: "1 min 00 s", 185 * time.Second: "3 min 05 s",
		130 * time.Minute: "2 h 10 min", 76 * time.Hour: "3 d 4 h",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
	for v, want := range map[float64]string{
		0: "0", 0.03124: "0.0312", 3.124: "3.12", 31.24: "31.2", 312.4: "312", 3124: "3124",
		-0.5: "-0.500", 3.124e7: "3.12e+07", 1e-5: "1e-05",
	} {
		if got := (Term{Value: v}).Text(); got != want {
			t.Errorf("Term %v reads %q, want %q", v, got, want)
		}
	}
}

// work reports n steps of a tenth of a second each, the last one Finished.
func work(to Reporter, task string, n int64) {
	for i := int64(1); i <= n; i++ {
		to.Report(Report{Task: task, Done: i, Total: n, Unit: "steps", Elapsed: time.Duration(i) * 100 * time.Millisecond, Finished: i == n})
	}
}

func TestLines(t *testing.T) {
	t.Run("one line each second and the last", func(t *testing.T) {
		var out bytes.Buffer
		work(Lines(&out, time.Second), "train", 25)
		want := `train: 40 %, 10 of 25 steps, 10.0 steps/s, 1.5 s left
train: 80 %, 20 of 25 steps, 10.0 steps/s, 0.5 s left
train: 25 steps in 2.5 s (10.0 steps/s)
`
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", out.String(), want)
		}
	})
	t.Run("a task left without a last report still gets its line", func(t *testing.T) {
		var out bytes.Buffer
		l := Lines(&out, time.Second)
		l.Report(Report{Task: "download", Done: 3, Unit: "steps"})
		l.Report(Report{Task: "decode", Done: 4, Unit: "steps", Finished: true})
		if want := "download: 3 steps\ndecode: 4 steps in 0.0 s\n"; out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	})
	t.Run("a report without unit stands at once, and once", func(t *testing.T) {
		var out bytes.Buffer
		l := Lines(&out, time.Hour)
		for range 3 {
			l.Report(Report{Task: "wait for another process"})
		}
		if want := "wait for another process\n"; out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
		work(l, "train", 3)
		if want := "wait for another process\ntrain: 3 steps in 0.3 s (10.0 steps/s)\n"; out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	})
	t.Run("the same task twice", func(t *testing.T) {
		var out bytes.Buffer
		l := Lines(&out, time.Hour)
		work(l, "train", 3)
		work(l, "train", 3)
		if got := strings.Count(out.String(), "\n"); got != 2 {
			t.Errorf("%d lines, want one a task: %q", got, out.String())
		}
	})
}

// screen plays terminal: what is left to see after carriage returns.
func screen(raw string) []string {
	var lines []string
	for line := range strings.SplitSeq(raw, "\n") {
		var cells []rune
		at := 0
		for _, r := range line {
			if r == '\r' {
				at = 0
				continue
			}
			for len(cells) <= at {
				cells = append(cells, ' ')
			}
			cells[at] = r
			at++
		}
		lines = append(lines, strings.TrimRight(string(cells), " "))
	}
	return lines
}

func TestBar(t *testing.T) {
	t.Run("tasks in a row", func(t *testing.T) {
		var out bytes.Buffer
		b := Bar(&out)
		work(b, "decode", 4)
		b.Report(Report{Task: "train", Done: 5, Total: 20, Unit: "steps", Elapsed: time.Second})
		got := screen(out.String())
		want := []string{
			"decode",
			" 100% |████████████████████|  4 steps in 0.4 s (10.0 steps/s)",
			"train",
			"  25% |█████               |  5 of 20 steps, 5.00 steps/s, 3.0 s left",
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
	t.Run("a report without unit has no bar", func(t *testing.T) {
		var out bytes.Buffer
		b := Bar(&out)
		b.Report(Report{Task: "wait for another process"})
		b.Report(Report{Task: "wait for another process"})
		work(b, "train", 4)
		got := screen(out.String())
		if len(got) != 4 || got[0] != "wait for another process" || got[1] != "train" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("the last report stands where total was reached before", func(t *testing.T) {
		var out bytes.Buffer
		b := Bar(&out)
		b.Report(Report{Task: "train", Done: 20, Total: 20, Unit: "steps", Elapsed: time.Second})
		b.Report(Report{Task: "train", Done: 20, Total: 20, Unit: "steps", Elapsed: 2 * time.Second, Finished: true})
		if got := screen(out.String())[1]; !strings.HasSuffix(got, "20 steps in 2.0 s (10.0 steps/s)") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("stopped early", func(t *testing.T) {
		var out bytes.Buffer
		Bar(&out).Report(Report{Task: "train", Done: 5, Total: 20, Unit: "steps", Elapsed: time.Second, Finished: true})
		if got, want := screen(out.String())[1], "  25% |█████               |  stopped at 5 of 20 steps after 1.0 s (5.00 steps/s)"; got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
	t.Run("total unknown, then known, then passed", func(t *testing.T) {
		var out bytes.Buffer
		b := Bar(&out)
		b.Report(Report{Task: "download", Done: 500_000, Unit: "bytes", Elapsed: time.Second})
		if got := screen(out.String())[1]; !strings.Contains(got, "500.0 kB, 500 kB/s") {
			t.Errorf("unknown total: got %q", got)
		}
		b.Report(Report{Task: "download", Done: 1_000_000, Total: 2_000_000, Unit: "bytes", Elapsed: 2 * time.Second})
		if got, want := screen(out.String())[1], "  50% |██████████          |  1.0 of 2.0 MB, 500 kB/s, 2.0 s left"; got != want {
			t.Errorf("known total: got %q, want %q", got, want)
		}
		b.Report(Report{Task: "download", Done: 3_000_000, Total: 2_000_000, Unit: "bytes", Elapsed: 3 * time.Second, Finished: true})
		if got, want := screen(out.String())[1], " 100% |████████████████████|  3.0 of 2.0 MB in 3.0 s (1.00 MB/s)"; got != want {
			t.Errorf("passed: got %q, want %q", got, want)
		}
	})
	t.Run("no line is wider than the terminal", func(t *testing.T) {
		var out bytes.Buffer
		b := Bar(&out)
		terms := []Term{{"cross-entropy", 1}, {"energy variance", 123}, {"gradient norm", 3}, {"much more", 4}, {"and more", 5}}
		for i := int64(0); i <= 10; i++ {
			b.Report(Report{Task: "train", Done: 1000 * i, Total: 10_000, Unit: "steps", Elapsed: time.Duration(i) * time.Second, Terms: terms, Finished: i == 10})
		}
		for piece := range strings.FieldsFuncSeq(out.String(), func(r rune) bool { return r == '\r' || r == '\n' }) {
			if w := uniseg.StringWidth(piece); w >= 100 {
				t.Errorf("%d columns: %q", w, piece)
			}
		}
		if !strings.Contains(out.String(), "…") {
			t.Error("the terms that do not fit were not marked as cut")
		}
	})
	t.Run("drawn at most ten times a second", func(t *testing.T) {
		var out bytes.Buffer
		b := Bar(&out)
		for i := int64(1); i <= 100_000; i++ { // one second of work
			b.Report(Report{Task: "train", Done: i, Total: 200_000, Unit: "steps", Elapsed: time.Duration(i) * 10 * time.Microsecond})
		}
		if n := strings.Count(out.String(), " of "); n > 2*11 { // text and bar are painted one after the other
			t.Errorf("%d pictures in a second", n)
		}
	})
}

func TestForTerminal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	work(ForTerminal(f), "train", 3)
	got, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	if want := "train: 3 steps in 0.3 s (10.0 steps/s)\n"; string(got) != want {
		t.Errorf("a file gets lines: got %q, want %q", got, want)
	}
}

func ExampleLines() {
	log := Lines(os.Stdout, time.Second)
	for step := int64(1); step <= 25; step++ {
		log.Report(Report{
			Task: "train moons", Done: step, Total: 25, Unit: "steps",
			Elapsed:  time.Duration(step) * 100 * time.Millisecond,
			Terms:    []Term{{"cross-entropy", 1 / float64(step)}},
			Finished: step == 25,
		})
	}
	// Output:
	// train moons: 40 %, 10 of 25 steps, 10.0 steps/s, 1.5 s left, cross-entropy 0.100
	// train moons: 80 %, 20 of 25 steps, 10.0 steps/s, 0.5 s left, cross-entropy 0.0500
	// train moons: 25 steps in 2.5 s (10.0 steps/s), cross-entropy 0.0400
}

func ExampleForTerminal() {
	to := ForTerminal(os.Stderr) // a bar in a terminal, lines in a log
	to.Report(Report{Task: "decode", Done: 10, Total: 10, Unit: "images", Finished: true})
}

func ExampleReport_String() {
	fmt.Println(Report{
		Task: "download cifar-10-binary.tar.gz", Done: 42_500_000, Total: 170_000_000, Unit: "bytes", Elapsed: 10 * time.Second,
	})
	// Output:
	// download cifar-10-binary.tar.gz: 25 %, 42.5 of 170.0 MB, 4.25 MB/s, 30 s left
}

// A name from an archive or a folder can be anything; what is shown of it is one line
// that steers no terminal.
func TestNamesAreShownPlain(t *testing.T) {
	name := "tar:a\x1b]0;pwned\x07\x1b[2J\nngebm: trained fine\x9b.tar"
	for what, out := range map[string]func(w io.Writer) Reporter{
		"lines": func(w io.Writer) Reporter { return Lines(w, time.Second) },
		"a bar": func(w io.Writer) Reporter { return &bar{w: w} },
	} {
		var b bytes.Buffer
		out(&b).Report(Report{Task: name})
		if want := `tar:a\x1b]0;pwned\a\x1b[2J\nngebm: trained fine\x9b.tar` + "\n"; b.String() != want {
			t.Errorf("%s: %q, not %q", what, b.String(), want)
		}
	}
	if got := (Report{Task: "train Größe, 日本"}).String(); got != "train Größe, 日本" {
		t.Errorf("%q", got)
	}
}
