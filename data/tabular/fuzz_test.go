package tabular

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
)

// FuzzRead checks that whatever the bytes, the reader returns an error of one line without control
// codes, or a table whose encoder is valid, and whose rows it encodes to the same finite inputs when
// they are read again.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		people, "\ufeffx;y\r\n1;a\r\n2;b\r\n", "x\ty\n1\ta\n2\tb\n", "0,1,2\n.5,1.5,1\n2.5,3,2\n", "x,y\n\"a\nb\",1\n", "x,y\n=1,a\n",
		"x,y\n1e308,a\n-1e308,b\n", "x,x\n1,2\n", ",y\n0,1\n", "x,y\n1e-320,a\n2e-320,b\n", "x,y\n1,a\x00\n2,b\n", "x,y\n1,a\n1,b\n",
	} {
		f.Add([]byte(seed), "y")
		f.Add([]byte(seed), "2")
	}
	f.Fuzz(func(t *testing.T, content []byte, label string) {
		oneLine := func(err error) {
			if strings.ContainsAny(err.Error(), "\n\r\x00\x1b") {
				t.Errorf("an error of more than one line, or with a control code: %q", err)
			}
		}
		read, err := Read(context.Background(), strings.NewReader(string(content)), label)
		if err != nil {
			oneLine(err)
			return
		}
		all := make([]int, len(read.Labels))
		for i := range all {
			all[i] = i
		}
		e, _, err := read.Fit(all)
		if err != nil {
			oneLine(err)
			return
		}
		if err := e.Validate(); err != nil {
			t.Errorf("the encoder %+v: %v", e, err)
		}
		inputs, err := read.Encode(e)
		if err != nil {
			oneLine(err)
			return
		}
		if len(inputs) != len(read.Labels)*e.Size() || slices.ContainsFunc(inputs, func(x float32) bool { return math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) }) {
			t.Errorf("%d rows of %d inputs: %v", len(read.Labels), e.Size(), inputs)
		}
		rows, err := e.Read(context.Background(), strings.NewReader(string(content)))
		if err != nil || !slices.Equal(rows.Inputs, inputs) {
			t.Errorf("read again %v, want %v (%v)", rows, inputs, err)
		}
	})
}
