package format

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// safetensorsOf writes a safetensors file.
func safetensorsOf(header string, values ...byte) []byte {
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), []byte(header), values)
}

// What the package safetensors wrote (testdata/make.py).
func TestSafetensors(t *testing.T) {
	file := fixture(t, "small.safetensors")
	arrays, _, err := ReadSafetensors(bytes.NewReader(file), 100)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		shape  []int
		kind   Type
		values []float64
	}{
		"conv.weight": {[]int{2, 3, 2}, Float32, []float64{-6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5}},
		"bias":        {[]int{2}, Float64, []float64{.5, -1.25}},
		"steps":       {nil, Int64, []float64{7}},
		"mask":        {[]int{1, 2}, Bool, []float64{1, 0}},
	} {
		a := arrays[name]
		if a == nil || !slices.Equal(a.Shape, want.shape) || a.Type != want.kind || !slices.Equal(a.Floats(), want.values) {
			t.Errorf("%s: %+v, want %v of %v %s", name, a, want.values, want.shape, want.kind)
		}
	}
	if len(arrays) != 4 {
		t.Errorf("%d arrays, want 4", len(arrays))
	}
	refusesCuts(t, file, func(file []byte) error {
		_, _, err := ReadSafetensors(bytes.NewReader(file), 100)
		return err
	})
}

// safetensors 0.8.0 of [.5,-1.25,3,1] in both types.
func TestSafetensorsHalfPrecision(t *testing.T) {
	for dtype, c := range map[string]struct {
		raw  string
		kind Type
	}{
		"F16":  {"\x00\x38\x00\xbd\x00\x42\x00\x3c", Float16},
		"BF16": {"\x00\x3f\xa0\xbf\x40\x40\x80\x3f", BFloat16},
	} {
		arrays, _, err := ReadSafetensors(bytes.NewReader(safetensorsOf(`{"w":{"dtype":"`+dtype+`","shape":[4],"data_offsets":[0,8]}}`, []byte(c.raw)...)), 100)
		if err != nil || arrays["w"].Type != c.kind || !slices.Equal(arrays["w"].Floats(), []float64{.5, -1.25, 3, 1}) {
			t.Errorf("%s: %v (%v)", dtype, arrays, err)
		}
	}
}

func TestSafetensorsRefuses(t *testing.T) {
	entry := func(dtype, shape, offsets string) []byte {
		return safetensorsOf(`{"w":{"dtype":"`+dtype+`","shape":`+shape+`,"data_offsets":`+offsets+`}}`, make([]byte, 8)...)
	}
	const byteEntry = `{"dtype":"U8","shape":[1],"data_offsets":[0,1]}`
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":             {nil, "it ends at byte 0, in the length of the header from 0 to 8"},
		"a zip file":        {[]byte("PK\x03\x04\x14\x00\x00\x00"), "more than 16777216 are refused"},
		"absurd header":     {[]byte("\xff\xff\xff\xff\xff\xff\xff\xff{}"), "its header has 18446744073709551615 bytes"},
		"cut header":        {safetensorsOf(strings.Repeat(" ", 80))[:50], "it ends at byte 50, in the header from 8 to 88"},
		"no object":         {safetensorsOf(`[1]`), "it is no object in JSON"},
		"open object":       {safetensorsOf(`{"w":` + byteEntry), "is no safetensors header"},
		"twice":             {safetensorsOf(`{"w":`+byteEntry+`,"w":`+byteEntry+`}`, 1), `"w" is there twice`},
		"no offsets":        {safetensorsOf(`{"w":{"dtype":"U8","shape":[1]}}`, 1), `tensor "w" lacks data_offsets`},
		"text for a tensor": {safetensorsOf(`{"w":"U8"}`), `tensor "w": json`},
		"numbers about it":  {safetensorsOf(`{"__metadata__":{"epoch":1}}`), "__metadata__: json"},
		"two objects":       {safetensorsOf(`{} {}`), "it continues after its closing brace"},
		"8 bits":            {entry("F8_E4M3", "[8]", "[0,8]"), `its type is "F8_E4M3": those that are read are [BF16 BOOL F16 F32 F64`},
		"no type":           {entry("float32", "[2]", "[0,8]"), `its type is "float32"`},
		"negative":          {entry("F32", "[-2]", "[0,8]"), "its shape is [-2], and -2 is no size"},
		"nothing":           {entry("F32", "[0,2]", "[0,0]"), "has no room for a value"},
		"absurd":            {entry("F64", "[4611686018427387903,9]", "[0,8]"), "takes more than the 100 bytes"},
		"beyond 64 bits":    {entry("F64", "[99999999999999999999]", "[0,8]"), "is no safetensors header"},
		"other size":        {entry("F32", "[1]", "[0,8]"), "its 4 bytes should be from 0 to 4, without a gap after the tensor before; the header says from 0 to 8"},
		"a gap":             {entry("F32", "[1]", "[4,8]"), "should be from 0 to 4"},
		"backwards":         {entry("F32", "[1]", "[8,4]"), "should be from 0 to 4"},
		"overlap":           {safetensorsOf(`{"v":`+byteEntry+`,"w":`+byteEntry+`}`, 1), "should be from 1 to 2"},
		"all above":         {safetensorsOf(`{"v":{"dtype":"U8","shape":[60],"data_offsets":[0,60]},"w":{"dtype":"U8","shape":[60],"data_offsets":[60,120]}}`, make([]byte, 120)...), `tensor "w": its shape [60] of uint8 takes more than the 40 bytes`},
		"goes on":           {entry("F32", "[1]", "[0,4]"), "it continues after its end"},
		"cut in values":     {safetensorsOf(`{"w":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}}`, 1, 2, 3), "in the values from"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := ReadSafetensors(bytes.NewReader(c.file), 100)
			says(t, err, c.want)
		})
	}
}

func FuzzSafetensors(f *testing.F) {
	f.Add(fixture(f, "small.safetensors"))
	f.Add([]byte("\x00\x00\x00\x01\x00\x00\x00\x00{"))
	f.Add(safetensorsOf(`{"w":{"dtype":"F64","shape":[8000000],"data_offsets":[0,64000000]}}   `))
	f.Add(safetensorsOf(`{"__metadata__":{"a":"b"},"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1))
	f.Fuzz(func(t *testing.T, file []byte) {
		takesLittle(t, len(file), plainFactor, func() {
			arrays, _, err := ReadSafetensors(bytes.NewReader(file), fuzzLimit)
			if err != nil {
				return
			}
			bytes := 0
			for name, a := range arrays {
				if want, err := bytesOf(a.Shape, a.Type, fuzzLimit); err != nil || len(a.raw) != want {
					t.Errorf("%s, %v of %s, has %d bytes, want %d (%v)", name, a.Shape, a.Type, len(a.raw), want, err)
				}
				bytes += len(a.raw)
			}
			if bytes > len(file) {
				t.Errorf("%d bytes of values from a file of %d", bytes, len(file))
			}
		})
	})
}
