package ckpt

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data/testerror"
)

func vector(values ...float32) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(values, len(values))
}

func example() State {
	return State{
		Hash: "0123456789ab", Step: 2, History: json.RawMessage(`{"steps_per_epoch":2}`),
		Tensors: []Tensor{
			{HistoryPrefix + "loss", false, vector(2, 1)},
			{HistoryPrefix + "learning rate", false, vector(.1, .1)},
			{"/net/weight", true, tensors.FromFlatDataAndDimensions([]float32{1, -2, 3, 4, 5, 6}, 2, 3)},
			{"/global_step", false, tensors.FromScalar(int64(2))},
			{"/double", false, tensors.FromFlatDataAndDimensions([]float64{1e300}, 1)},
		},
	}
}

func written(t testing.TB, s State) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decodeBytes(raw []byte) (*State, error) {
	return decode(bytes.NewReader(raw), int64(len(raw)), nil)
}

func TestCheckpointRoundTrip(t *testing.T) {
	want := example()
	raw := written(t, want)
	got, err := decodeBytes(raw)
	if err != nil {
		t.Fatal(err)
	}
	if got.Hash != want.Hash || got.Step != want.Step || !bytes.Equal(got.History, want.History) {
		t.Errorf("got %+v", got)
	}
	for i, w := range want.Tensors {
		g := got.Tensors[i]
		if g.Name != w.Name || g.Trainable != w.Trainable || !g.Value.Equal(w.Value) {
			t.Errorf("%s: got %s = %v, trainable %v", w.Name, g.Name, g.Value, g.Trainable)
		}
	}
	if again := written(t, *got); !bytes.Equal(raw, again) {
		t.Error("what was read is written with other bytes")
	}
}

// What could not be read again is not written: one tensor of 64 MiB, many times.
func TestCheckpointTooLarge(t *testing.T) {
	s := example()
	large := tensors.FromShape(shapes.Make(dtypes.Float32, 1<<24))
	for range MaxFile>>26 + 1 {
		s.Tensors = append(s.Tensors, Tensor{"net/weights", true, large})
	}
	var file bytes.Buffer
	if err := encode(&file, s); err == nil || !strings.Contains(err.Error(), "none of more than 8589934592") || file.Len() > 0 {
		t.Errorf("%d bytes were written: %v", file.Len(), err)
	}
}

// So are tensors that no reader takes.
func TestCheckpointOfWhatCannotBeRead(t *testing.T) {
	for want, bad := range map[string]Tensor{
		`"/net/mask" of type "Bool"`: {"/net/mask", false, tensors.FromFlatDataAndDimensions([]bool{true}, 1)},
		`of type "Complex64"`:        {"/net/phase", true, tensors.FromFlatDataAndDimensions([]complex64{1}, 1)},
		"a name of 601 bytes":        {"/" + strings.Repeat("a", 600), true, vector(1)},
		`the name "/net//weight"`:    {"/net//weight", true, vector(1)},
		"and shape [1 1 1":           {"/net/weights", true, tensors.FromShape(shapes.Make(dtypes.Float32, slices.Repeat([]int{1}, MaxRank+1)...))},
	} {
		s := example()
		s.Tensors = append(s.Tensors, bad)
		var file bytes.Buffer
		err := Unwritten("the checkpoint", encode(&file, s))
		testerror.Want(t, err, "it could not be read again", want)
		if file.Len() > 0 || err != nil && strings.Contains(err.Error(), "writable") {
			t.Errorf("%d bytes were written: %v", file.Len(), err)
		}
	}
}

// sealed puts a header and values together with a right checksum, as an attacker could.
func sealed(header, values string) []byte {
	b := append([]byte(magic+formatVersion), binary.LittleEndian.AppendUint64(nil, uint64(len(header)))...)
	b = append(append(b, header...), values...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// A file with a right checksum and absurd content is refused without taking the
// memory that it asks for.
func TestCheckpointRefusesAbsurdContent(t *testing.T) {
	long := sealed("{}", "")
	binary.LittleEndian.PutUint64(long[8:], 1<<62)
	sum := sha256.Sum256(long[:len(long)-32])
	copy(long[len(long)-32:], sum[:])
	for _, c := range []struct {
		raw  []byte
		want string
	}{
		{nil, "cut short at 0 bytes"},
		{long, "header of 4611686018427387904 bytes"},
		{sealed("{", ""), "header that cannot be read"},
		{sealed(`{"tensors":[{"name":"/a","dtype":"float32","shape":[1000000000,1000000000,1000000000]}]}`, "abcd"), `ends within tensor "/a"`},
		{sealed(`{"tensors":[{"name":"/a","dtype":"float32","shape":[-1]}]}`, "abcd"), `ends within tensor "/a"`},
		{sealed(`{"tensors":[{"name":"/a","dtype":"float32","shape":[2]}]}`, "abcd"), "ends within tensor \"/a\""},
		{sealed(`{"tensors":[{"name":"/a","dtype":"object","shape":[1]}]}`, "abcd"), `type "object"`},
		{sealed(`{"step":0,"tensors":[]}`, "abcd"), "4 bytes more"},
		{sealed(`{"tensors":[{"name":"/a","dtype":"int8","shape":[2]},{"name":"/a","dtype":"int8","shape":[2]}]}`, "abcd"), `two tensors "/a"`},
	} {
		if _, err := decodeBytes(c.raw); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: error %v, want %q", c.raw, err, c.want)
		}
	}
}

// Any change of any byte and any cut is noticed, and told from a file that is as it was
// written but by a newer program.
func TestCheckpointNoticesEveryByte(t *testing.T) {
	raw := written(t, example())
	for i := range raw {
		bad := slices.Clone(raw)
		bad[i] ^= 1 << (i % 8)
		for _, bad := range [][]byte{bad, raw[:i]} {
			var wrong *DamagedError
			if _, err := decodeBytes(bad); !errors.As(err, &wrong) {
				t.Errorf("byte %d of %d: error %v", i, len(raw), err)
			}
		}
	}
	newer := bytes.Replace(raw, []byte("NGEBMCK1"), []byte("NGEBMCK2"), 1)
	sum := sha256.Sum256(newer[:len(newer)-sha256.Size])
	copy(newer[len(newer)-sha256.Size:], sum[:])
	var wrong *DamagedError
	if _, err := decodeBytes(newer); err == nil || errors.As(err, &wrong) || !strings.Contains(err.Error(), `has format version "2", and this program reads "1": use a newer program`) {
		t.Errorf("a newer format: error %v", err)
	}
}

func FuzzCheckpoint(f *testing.F) {
	f.Add(written(f, example()))
	f.Add(sealed(`{"tensors":[{"name":"/a","dtype":"float32","shape":[0,9]}]}`, ""))
	f.Fuzz(func(t *testing.T, raw []byte) {
		// The checksum would stop nearly all inputs: mend it, so that what lies
		// behind is tried.
		if len(raw) > 32 {
			sum := sha256.Sum256(raw[:len(raw)-32])
			copy(raw[len(raw)-32:], sum[:])
		}
		sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
		metrics.Read(sample)
		before := sample[0].Value.Uint64()
		c, err := decodeBytes(raw)
		metrics.Read(sample)
		if took := sample[0].Value.Uint64() - before; took > 32<<20+200*uint64(len(raw)) {
			t.Errorf("%d bytes took %d of memory", len(raw), took)
		}
		if err != nil {
			return
		}
		if again, err := decodeBytes(written(t, *c)); err != nil || again.Step != c.Step || len(again.Tensors) != len(c.Tensors) {
			t.Errorf("what was read cannot be written and read again: %v", err)
		}
	})
}

// One byte of a checkpoint is changed, at random, ten thousand times: it is always
// refused, and as a damaged one, so that the one before it is taken.
func TestCheckpointCorrupted(t *testing.T) {
	raw := written(t, example())
	rng := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		i, change := rng.IntN(len(raw)), byte(1+rng.IntN(255))
		raw[i] ^= change
		var wrong *DamagedError
		if _, err := decodeBytes(raw); !errors.As(err, &wrong) {
			t.Fatalf("byte %d of %d changed by %#x: error %v", i, len(raw), change, err)
		}
		raw[i] ^= change
	}
}
