package format

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
)

// fixture reads a file of testdata, whose README.md says where it comes from.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// says checks that err holds all parts.
func says(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
}

// floats returns all values in the file's order.
func floats(a *Array) []float64 {
	values := make([]float64, a.Len())
	for i := range values {
		values[i], _ = a.at(i)
	}
	return values
}

// refusesCuts checks that read accepts the whole file and no beginning of it,
// nor the file with a byte after it.
func refusesCuts(t *testing.T, whole []byte, read func(file []byte) error) {
	t.Helper()
	if err := read(whole); err != nil {
		t.Fatalf("the whole file: %v", err)
	}
	for n := range whole {
		if read(whole[:n]) == nil {
			t.Errorf("a file cut at byte %d of %d was accepted", n, len(whole))
		}
	}
	if read(append(slices.Clip(whole), 0)) == nil {
		t.Error("a file that goes on was accepted")
	}
}

// fuzzLimit is what arrays may take while fuzzing.
const fuzzLimit = 64 << 20

// takesLittle runs f and checks that all it allocates, freed or not, is at most
// factor times the bytes that it is given: no header can have memory taken for
// nothing. Deflate packs up to 1,032 times.
func takesLittle(t *testing.T, given, factor int, f func()) {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	allocated := func() uint64 {
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	before := allocated()
	f()
	if took := allocated() - before; took > uint64(2<<20+factor*given) || took > 512<<20 {
		t.Errorf("for %d bytes %d were allocated", given, took)
	}
}

const (
	plainFactor  = 16
	packedFactor = 4 * 1032
)

func TestTypes(t *testing.T) {
	for _, c := range []struct {
		t     Type
		raw   []byte // big-endian, 2 values
		want  []float64
		whole bool
	}{
		{Bool, []byte{0, 2}, []float64{0, 1}, true},
		{Uint8, []byte{1, 255}, []float64{1, 255}, true},
		{Int8, []byte{1, 255}, []float64{1, -1}, true},
		{Uint16, []byte{1, 2, 255, 255}, []float64{258, 65535}, true},
		{Int16, []byte{1, 2, 255, 255}, []float64{258, -1}, true},
		{Uint32, []byte{0, 0, 1, 2, 255, 255, 255, 255}, []float64{258, 1<<32 - 1}, true},
		{Int32, []byte{0, 0, 1, 2, 255, 255, 255, 255}, []float64{258, -1}, true},
		{Uint64, []byte{0, 0, 0, 0, 0, 0, 1, 2, 0, 32, 0, 0, 0, 0, 0, 0}, []float64{258, 1 << 53}, true},
		{Int64, slices.Concat([]byte{0, 0, 0, 0, 0, 0, 1, 2}, bytes.Repeat([]byte{255}, 8)), []float64{258, -1}, true},
		{Float32, []byte{0xc0, 0, 0, 0, 0x3f, 0, 0, 0}, []float64{-2, .5}, false},
		{Float64, []byte{0xc0, 0, 0, 0, 0, 0, 0, 0, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0}, []float64{-2, .5}, false},
	} {
		a := &Array{Shape: []int{2}, Type: c.t, stored: c.t, order: binary.BigEndian, raw: c.raw}
		if got := floats(a); !slices.Equal(got, c.want) || a.Len() != 2 {
			t.Errorf("%s: got %v, want %v", c.t, got, c.want)
		}
		values, err := a.Integers()
		if !c.whole {
			says(t, err, "value 1 (from 0) is 0.5, no whole number")
		} else if err != nil || float64(values[0]) != c.want[0] || float64(values[1]) != c.want[1] {
			t.Errorf("%s: got %v (%v), want %v", c.t, values, err, c.want)
		}
		if b, err := a.Bytes(); c.t == Uint8 && (err != nil || !slices.Equal(b, c.raw)) {
			t.Errorf("got %v (%v)", b, err)
		} else if c.t != Uint8 {
			says(t, err, "it holds "+string(c.t)+", not uint8")
		}
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1 << 54} {
		a := &Array{stored: Float64, order: binary.LittleEndian, raw: binary.LittleEndian.AppendUint64(nil, math.Float64bits(v))}
		if got, err := a.Integers(); err == nil {
			t.Errorf("%v became %d", v, got)
		}
	}
}

// Turned, index (i, j, k) has the value it had.
func TestRowMajor(t *testing.T) {
	a := &Array{Shape: []int{2, 3, 4}, ColumnMajor: true, stored: Uint16, order: binary.BigEndian}
	for k := range 4 {
		for j := range 3 {
			for i := range 2 {
				a.raw = binary.BigEndian.AppendUint16(a.raw, uint16(100*i+10*j+k))
			}
		}
	}
	turned := floats(a.RowMajor())
	for n, v := range turned {
		if want := float64(100*(n/12) + 10*(n/4%3) + n%4); v != want {
			t.Errorf("value %d is %v, want %v", n, v, want)
		}
	}
	if a.RowMajor().RowMajor().ColumnMajor || !a.ColumnMajor {
		t.Error("the wrong array was turned")
	}
}

// failing is a file on a disk that fails.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("input/output error") }
