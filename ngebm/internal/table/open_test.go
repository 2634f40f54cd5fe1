package table

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf16"
)

// codings is a text in the forms in which it reads the same.
func codings(t testing.TB, text string) map[string]string {
	t.Helper()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	var little, big []byte
	for _, u := range utf16.Encode([]rune(strings.TrimPrefix(text, "\ufeff"))) {
		little, big = binary.LittleEndian.AppendUint16(little, u), binary.BigEndian.AppendUint16(big, u)
	}
	all := map[string]string{
		"UTF-8": text, "gzip": zipped.String(),
		"UTF-16LE with mark": "\xff\xfe" + string(little), "UTF-16BE with mark": "\xfe\xff" + string(big),
	}
	if !strings.ContainsFunc(text, func(r rune) bool { return r > 0x7f }) {
		all["UTF-16LE"], all["UTF-16BE"] = string(little), string(big)
	}
	return all
}

// npy is an NPY file of zeros.
func npy(descr, shape string, values int) string {
	h := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", descr, shape)
	return "\x93NUMPY\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(h)))) + h + strings.Repeat("\x00", values)
}

// npz is an NPZ file of arrays x0, x1 …
func npz(t testing.TB, arrays ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, a := range arrays {
		w, err := z.Create(fmt.Sprintf("x%d.npy", i))
		if err == nil {
			_, err = w.Write([]byte(a))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// numpy 2.4.6 and ml_dtypes 0.6.0: [[.5,-1.25,3],[1,0,2.5]] in each type.
func TestNPY(t *testing.T) {
	head := func(descr string) string {
		return "\x93NUMPY\x01\x00\x46\x00{'descr': '" + descr + "', 'fortran_order': False, 'shape': (2, 3), }          \n"
	}
	for _, c := range []struct{ content, note string }{
		{head("<f2") + "\x00\x38\x00\xbd\x00\x42\x00\x3c\x00\x00\x00\x41", ""},
		{head(">f2") + "\x38\x00\xbd\x00\x42\x00\x3c\x00\x00\x00\x41\x00", ""},
		{head("<V2") + "\x00\x3f\xa0\xbf\x40\x40\x80\x3f\x00\x00\x20\x40", "x.csv: values of NumPy's type V2 are read as bfloat16"},
		{head("|V2") + "\x00\x3f\xa0\xbf\x40\x40\x80\x3f\x00\x00\x20\x40", "x.csv: values of NumPy's type V2 are read as bfloat16"},
		{npz(t, head("<f2")+"\x00\x38\x00\xbd\x00\x42\x00\x3c\x00\x00\x00\x41"), ""},
	} {
		got, err := parse(c.content, false)
		if err != nil || fmt.Sprint(got.Rows) != "[[0.5 -1.25 3] [1 0 2.5]]" || strings.Join(got.Notes, " ") != c.note {
			t.Errorf("%.60q: %v, %q (%v)", c.content, got.Rows, got.Notes, err)
		}
	}
	for content, want := range map[string]string{
		npz(t, npy("|u1", "(1,)", 1), npy("|u1", "(1,)", 1)): `it holds the arrays ["x0" "x1"]; a file has to hold one here`,
		npy("|u1", "()", 1):              "1 or 2 dimensions",
		npy("|O", "(1,)", 1):             "never read",
		npy("<V1", "(1,)", 1):            "floats of 8 bits",
		npy("<f4", "(1, 2, 2)", 16):      "1 or 2 dimensions",
		npy("<f4", "(2, 2)", 15):         "cut short",
		npy("<f8", "(100000000,)", 8):    "takes more than the",
		npy("<f8", "(40, 0)", 0):         "its shape [40 0] has no room for a value",
		npy("<f8", "(0, 3)", 0):          "its shape [0 3] has no room for a value",
		npz(t, "PK, but no array"):       `array "x0": it begins with`,
		"PK\x03\x04" + "x":               "of these NPZ files are read",
		"\x80\x04\x95":                   "a pickle of Python",
		"\xfd7zXZ\x00":                   "compressed by xz",
		"\x28\xb5\x2f\xfd":               "compressed by zstd",
		"\x89HDF\r\n\x1a\n":              "an HDF5 file",
		"PAR1\x15\x04\x15":               "a Parquet file",
		"PK\x05\x06":                     "of these NPZ files are read",
		"RDX3\nX\n\x00\x00\x00\x03":      "a file of R (save)",
		"Rar!\x1a\x07\x01\x00":           "a RAR archive",
		"ARROW1\x00\x00":                 "an Arrow or Feather file",
		"\x1f\x8b":                       "it is not a whole gzip file",
		codings(t, "1.5\n")["gzip"][:20]: "the compressed file is damaged or cut short",
	} {
		_, err := parse(content, false)
		refuses(t, err, want)
	}
}

// Names of columns that begin as other files do.
func TestHeadersThatLookLikeOtherFiles(t *testing.T) {
	for _, header := range []string{"PK,SK", "PK1,PK2", "RDX,RDY", "RDX2,RDX3", "PAR1,PAR2", "ARROW1,ARROW2", "Rar!,Common", "MATLAB 5.0,Octave"} {
		got, err := parse(header+"\n0.5,-1.25\n1.5,3.5\n", false)
		if err != nil || len(got.Rows) != 2 || strings.Join(got.Names, ",") != header {
			t.Errorf("%s: %v, %q (%v)", header, got.Rows, got.Names, err)
		}
	}
}

// What Python's bz2.compress made of "0.5,1.5\n2.5,3.5\n".
func TestBzip2(t *testing.T) {
	packed, err := base64.StdEncoding.DecodeString("QlpoOTFBWSZTWfWL0isAAARYAAAQAAV6ACAAIaaDahDAgSJDo2JeLuSKcKEh6xekVg==")
	if err != nil {
		t.Fatal(err)
	}
	got, err := parse(string(packed), false)
	if err != nil || fmt.Sprint(got.Rows) != "[[0.5 1.5] [2.5 3.5]]" {
		t.Errorf("%v (%v)", got.Rows, err)
	}
}

// A small file that unpacks to a large one does not fill the memory.
func TestPackedTightly(t *testing.T) {
	zeros := strings.Repeat("0.5\n", 3<<20)
	packed := codings(t, zeros)["gzip"]
	_, err := parse(packed, false)
	refuses(t, err, "unpacks to more than 20 times its size")
}

// What follows a bomb does not pay for it: sizes are compared while the file is read, and
// the rows of its first 4 MiB take less than 500 MB. As a whole the file is below the limit.
func TestBombBeforeDenseText(t *testing.T) {
	dense := make([]byte, 2<<20) // does not shrink, so the whole file stays below 20 times its size
	if _, err := rand.NewChaCha8([32]byte{}).Read(dense); err != nil {
		t.Fatal(err)
	}
	packed := codings(t, strings.Repeat("1,2\n", 2<<20)+string(dense))["gzip"]
	for _, labels := range []bool{false, true} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := parse(packed, labels)
		runtime.ReadMemStats(&after)
		refuses(t, err, "it, or its beginning, unpacks to more than 20 times its size")
		if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 500 {
			t.Errorf("it took %d MB, labels: %v", took, labels)
		}
	}
}

// Values of one byte take more memory than their file lets expect.
func TestManySmallValues(t *testing.T) {
	dense := make([]byte, 1<<20)
	if _, err := rand.NewChaCha8([32]byte{}).Read(dense); err != nil {
		t.Fatal(err)
	}
	const n = 16 << 20
	array := npy("|u1", fmt.Sprintf("(%d,)", n), 0) + string(dense) + strings.Repeat("\x00", n-len(dense))
	for _, packed := range []string{npz(t, array), codings(t, array)["gzip"]} {
		_, err := parse(packed, false)
		refuses(t, err, "it unpacks to 16777216 values, more than a compressed file of its size may hold (numpy.save writes it without compression)")
	}
	text := []byte(strings.Repeat("0\n", 5<<20)) // random 0 and 1, which stay below 20 times their size
	for i := 0; i < len(text); i += 2 {
		text[i] = '0' + dense[i/16%len(dense)]>>(i/2%8)&1
	}
	_, err := parse(codings(t, string(text))["gzip"], false)
	refuses(t, err, "it unpacks to more than 4194304 values, the most that a compressed file of its size may hold: unpack it first")
}

func TestOnlyRegularFiles(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	for path, want := range map[string]string{pipe: "a named pipe", "/dev/zero": "a device", t.TempDir(): "a folder"} {
		began := time.Now()
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), want) || time.Since(began) > 5*time.Second {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	empty := filepath.Join(t.TempDir(), "empty\n.csv")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(empty); err == nil || !strings.Contains(err.Error(), `empty\n.csv": there are no rows`) {
		t.Errorf("an empty file: %v", err)
	}
}

func TestLabels(t *testing.T) {
	logits := func(head string) *Table {
		l, err := parse(head+"0.5,-1.25,3.5\n1.5,0.5,2.5\n7.5,0.25,-2.5\n", false)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for _, c := range []struct{ name, head, labels, note string }{
		{"bare", "", "2\n0\n1\n", ""},
		{"floats", "", "2.0\n0.000e+00\n1.\n", ""},
		{"a header", "a,b,c\n", "label\n2\n0\n1\n", ""},
		{"pandas.Series(y, name='y').to_csv(f)", "", ",y\n0,2\n1,0\n2,1\n", "read as an index"},
		{"pandas.Series(y).to_csv(f, header=False)", "", "0,2\n1,0\n2,1\n", "counts the rows from 0"},
		{"pandas.Series(y).to_csv(f, index=False), as the logits", "0,1,2\n", "0\n2\n0\n1\n", "the first line, 0, is read as a header"},
		{"names", "cat,dog,ship\n", "ship\ncat\ndog\n", "labels are read as names of classes"},
		{"names below a header", "cat,dog,ship\n", "class\nship\ncat\ndog\n", "labels are read as names of classes"},
		{"names of pairs", "0_1,0_2,1_2\n", "1_2\n0_1\n0_2\n", "labels are read as names of classes"},
		{"names in quotes", "\"a, b\",dog,ship\n", "\"ship\"\n\"a, b\"\n\"dog\"\n", "labels are read as names of classes"},
		{"numbers that are names", "1,2,3\n", "3\n1\n2\n", "labels are read as names of classes"},
		{"numbers that are the columns'", "0,1,2\n", "2\n0\n1\n", ""},
	} {
		y, err := parse(c.labels, true)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got, err := y.Labels(logits(c.head))
		if notes := strings.Join(y.Notes, "\n"); err != nil || !slices.Equal(got, []int32{2, 0, 1}) || (c.note == "") != (notes == "") || !strings.Contains(notes, c.note) {
			t.Errorf("%s: %v (%v), notes %q, want %q", c.name, got, err, notes, c.note)
		}
	}
	for _, c := range []struct{ head, labels, want string }{
		{"", "3\n1\n2\n", "x.csv:1: label 3 is not a class; with 3 values a row, labels are 0 … 2. These go from 1 to 3 and count from 1: subtract 1 from each"},
		{"", "0\n-1\n2\n", "x.csv:2: label -1 is not a class; with 3 values a row, labels are 0 … 2. Where -1 stands for no label"},
		{"", "0\n1.5\n2\n", "x.csv:2: label 1.5 is not a whole number"},
		{"", "ship\ncat\ndog\n", `x.csv:2: label "cat" is not a number; labels are numbers from 0, or names that the first line of the logits has`},
		{"cat,dog,ship\n", "ship\ncat\nbird\n", `x.csv:3: label "bird" is none of the names in the first line of x.csv: ["cat" "dog" "ship"]`},
		{"cat,dog,ship\n", "ship\ncat\n1\n", `label "1" is none of the names`},
		{"cat,cat,ship\n", "ship\ncat\nship\n", `label "cat" is the name of several columns`},
		{"", "1,0,0\n0,1,0\n0,0,1\n", "rows of 3 values; there must be one value a row, the label; of one-hot rows, write the column of the 1"},
		{"", "5,2\n9,0\n7,1\n", "rows of 2 values; there must be one"},
		{"1,2,3\n", "3\n1\n0\n", `label "0" is none of the names`},
	} {
		y, err := parse(c.labels, true)
		if err == nil {
			_, err = y.Labels(logits(c.head))
		}
		refuses(t, err, c.want)
	}
}
