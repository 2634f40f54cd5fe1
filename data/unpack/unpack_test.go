package unpack

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
)

var errLimit = errors.New("too much")

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// bzip2 of "hello\n", by bzip2 1.0.8.
const bzipped = "BZh91AY&SY\xc1\xc0\x80\xe2\x00\x00\x01\x41\x00\x00\x10\x02\x44\xa0\x00\x30\xcd\x00\xc3\x46\x29\x97\x17\x72\x45\x38\x50\x90\xc1\xc0\x80\xe2"

func TestReader(t *testing.T) {
	for _, c := range []struct{ name, file, compression, want string }{
		{"plain", "hello\n", "", "hello\n"},
		{"empty", "", "", ""},
		{"shorter than a magic number", "\x1f", "", "\x1f"},
		{"gzip", gzipped(t, "hello\n"), "gzip", "hello\n"},
		{"bzip2", bzipped, "bzip2", "hello\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := NewReader(strings.NewReader(c.file), Limit{Free: 100, Ratio: 2, Err: errLimit})
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil || string(got) != c.want || r.Compression != c.compression {
				t.Errorf("got %q by %q, %v; want %q by %q", got, r.Compression, err, c.want, c.compression)
			}
		})
	}
}

func TestReaderRefuses(t *testing.T) {
	whole := gzipped(t, "hello\n")
	if _, err := NewReader(strings.NewReader(whole[:5]), Limit{}); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "gzip") {
		t.Errorf("a header that is cut short gives %v", err)
	}
	if _, err := NewReader(io.MultiReader(strings.NewReader("ab"), failing{}), Limit{}); err != errLimit {
		t.Errorf("a file that cannot be read gives %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errLimit }

// A megabyte of zeros compresses to about a kilobyte.
func TestLimit(t *testing.T) {
	bomb := gzipped(t, strings.Repeat("\x00", 1<<20))
	for _, c := range []struct {
		name  string
		limit Limit
		want  error
	}{
		{"free", Limit{1 << 20, 2, errLimit}, nil},
		{"ratio", Limit{1 << 10, 2000, errLimit}, nil},
		{"exceeded", Limit{1<<20 - 1, 2, errLimit}, errLimit},
	} {
		r, err := NewReader(strings.NewReader(bomb), c.limit)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != c.want {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}
