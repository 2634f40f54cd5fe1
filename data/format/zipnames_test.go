package format

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"testing"
)

// rawZip is a zip file of empty files, by the raw bytes of their names.
func rawZip(t testing.TB, system uint16, flags uint16, extra []byte, names ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range names {
		h := &zip.FileHeader{Name: name, NonUTF8: true, CreatorVersion: system << 8, Flags: flags, Extra: extra}
		if _, err := w.CreateRaw(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// unicodeField is Info-ZIP's extra field of a name, for the raw name that it replaces.
func unicodeField(raw, name string) []byte {
	field := binary.LittleEndian.AppendUint16(nil, unicodePathField)
	field = binary.LittleEndian.AppendUint16(field, uint16(5+len(name)))
	field = append(field, 1)
	field = binary.LittleEndian.AppendUint32(field, crc32.ChecksumIEEE([]byte(raw)))
	return append(field, name...)
}

// The raw bytes of names are those that Python's str.encode("cp437"), "cp850" and "cp932"
// give.
func TestZipNames(t *testing.T) {
	const dos = 0
	for name, c := range map[string]struct {
		file     []byte
		want     []string
		encoding string
	}{
		"ASCII":                         {rawZip(t, dos, 0, nil, "a/b.png"), []string{"a/b.png"}, ""},
		"CP437":                         {rawZip(t, dos, 0, nil, "\x8epfel/1.png", "Birnen/1.png"), []string{"Äpfel/1.png", "Birnen/1.png"}, "CP437"},
		"CP437, a sign":                 {rawZip(t, dos, 0, nil, "30\xf8 \xab/1.png"), []string{"30° ½/1.png"}, "CP437"},
		"CP437, Spanish":                {rawZip(t, dos, 0, nil, "ni\xa4o/1.png", "n\xa7 1/a.png"), []string{"niño/1.png", "nº 1/a.png"}, "CP437"},
		"CP850 is taken for CP437":      {rawZip(t, dos, 0, nil, "Bj\x9brn/1.png"), []string{"Bj¢rn/1.png"}, "CP437"},
		"CP932":                         {rawZip(t, dos, 0, nil, "\x82\xe8\x82\xf1\x82\xb2/1.png", "\x94L/1.png"), []string{"りんご/1.png", "猫/1.png"}, "CP932"},
		"CP932, with a trailing 5C":     {rawZip(t, dos, 0, nil, "\x83\\\x81[\x83X/\x95\\1.png", "\x8e\xa9\x93\xae\x8e\xd4\\2.png"), []string{"ソース/表1.png", "自動車/2.png"}, "CP932"},
		"CP932, letters in CP437":       {rawZip(t, dos, 0, nil, "\x8c\xa2\\1.png", "\x95\\\x8cv\x8eZ\\2.png"), []string{"犬/1.png", "表計算/2.png"}, "CP932"},
		"CP437, upper after lower":      {rawZip(t, dos, 0, nil, "Gr\x94\xe1e\x8enderung/1.png"), []string{"GrößeÄnderung/1.png"}, "CP437"},
		"UTF-8 with its flag":           {rawZip(t, dos, utf8Flag, nil, "Äpfel/1.png"), []string{"Äpfel/1.png"}, ""},
		"UTF-8 without it, as on macOS": {rawZip(t, madeOnUnix, 0, nil, "Äpfel/猫.png"), []string{"Äpfel/猫.png"}, ""},
		"Info-ZIP's field":              {rawZip(t, dos, 0, unicodeField("\x8epfel/1.png", "Äpfel/1.png"), "\x8epfel/1.png"), []string{"Äpfel/1.png"}, ""},
		"a field of another name":       {rawZip(t, dos, 0, unicodeField("x", "y"), "\x8epfel/1.png"), []string{"Äpfel/1.png"}, "CP437"},
		"a field that is cut":           {rawZip(t, dos, 0, unicodeField("\x8e", "Ä")[:7], "\x8e"), []string{"Ä"}, "CP437"},
		"the top folder":                {rawZip(t, madeOnUnix, 0, nil, "./", "./a.png"), []string{"./", "./a.png"}, ""},
		"backslashes":                   {rawZip(t, dos, 0, nil, `train\cat\1.png`, `train\cat\`), []string{"train/cat/1.png", "train/cat/"}, ""},
		"backslashes of NTFS":           {rawZip(t, 10, 0, nil, `a\b/1.png`), []string{"a/b/1.png"}, ""},
		"backslashes alone, on Unix":    {rawZip(t, madeOnUnix, 0, nil, `a\1.png`), []string{"a/1.png"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			z, err := OpenZip(bytes.NewReader(c.file), int64(len(c.file)))
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, f := range z.File {
				names = append(names, f.Name)
			}
			if !slices.Equal(names, c.want) || z.Encoding != c.encoding {
				t.Errorf("names are %q in %q, want %q in %q", names, z.Encoding, c.want, c.encoding)
			}
		})
	}
}

func TestZipNamesRefused(t *testing.T) {
	for want, file := range map[string][]byte{
		`the name "a/b\\c.png" has both / and \`:             rawZip(t, madeOnUnix, 0, nil, `a/b\c.png`),
		`the name "\x8epfel" is not UTF-8, as it says it is`: rawZip(t, 0, utf8Flag, nil, "\x8epfel"),
		`the name "../x.png" leads out of it, or is none`:    rawZip(t, 0, 0, nil, `..\x.png`),
		`the name "/" leads out of it, or is none`:           rawZip(t, 0, 0, nil, "/"),
		`the name "/x.png" leads out of it`:                  rawZip(t, 0, 0, nil, `\x.png`),
		`"a/x.png" is there twice`:                           rawZip(t, 0, 0, nil, `a\x.png`, "a/x.png"),
		`"Ä.png" is there twice`:                             rawZip(t, 0, 0, nil, "\x8e.png", "Ä.png"),
	} {
		_, err := OpenZip(bytes.NewReader(file), int64(len(file)))
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte(want)) {
			t.Errorf("the error is %v, want %s", err, want)
		}
	}
}

func FuzzZipNames(f *testing.F) {
	f.Add("\x8epfel/1.png", []byte{}, uint16(0), uint16(0))
	f.Add("\x83\\\x81[\x83X/\x95\\1.png", unicodeField("a", "b"), uint16(3), uint16(utf8Flag))
	f.Fuzz(func(t *testing.T, name string, extra []byte, system, flags uint16) {
		file := &zip.File{FileHeader: zip.FileHeader{Name: name, Extra: extra, CreatorVersion: system << 8, Flags: flags}}
		if _, err := nameFiles([]*zip.File{file}); err == nil && !bytes.Equal([]byte(file.Name), bytes.ToValidUTF8([]byte(file.Name), nil)) {
			t.Errorf("%q became %q", name, file.Name)
		}
	})
}
