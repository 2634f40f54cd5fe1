package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ngebm/notebooks/internal/notebooktest"
)

// A page takes pictures from regular files that lie in the notebook's folder, and says
// which it does not take, at once.
func TestReadPicture(t *testing.T) {
	top := t.TempDir()
	folder := filepath.Join(top, "notebooks")
	put := func(path string, content []byte) error {
		path = filepath.Join(top, path)
		return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644))
	}
	picture := notebooktest.Image(t, ".png")
	large, err := os.Create(filepath.Join(top, "large.png"))
	if err != nil {
		t.Fatal(err)
	}
	large.Close()
	for _, err := range []error{
		put("notebooks/in.png", picture), put("notebooks/sub/a b.png", picture), put("out.png", picture), put("home/.ssh/id.png", picture),
		os.Symlink("in.png", filepath.Join(folder, "link.png")),
		os.Symlink("../in.png", filepath.Join(folder, "sub", "up.png")),
		os.Symlink("../out.png", filepath.Join(folder, "leaves.png")),
		os.Symlink(filepath.Join(top, "out.png"), filepath.Join(folder, "absolute.png")),
		os.Symlink("../home", filepath.Join(folder, "home")),
		os.Symlink("/dev/zero", filepath.Join(folder, "zero.png")),
		os.Symlink("loop.png", filepath.Join(folder, "loop.png")),
		os.Mkdir(filepath.Join(folder, "folder.png"), 0o755),
		syscall.Mkfifo(filepath.Join(folder, "pipe.png"), 0o644),
		os.Truncate(large.Name(), 40<<30), os.Rename(large.Name(), filepath.Join(folder, "large.png")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for path, says := range map[string]string{
		"in.png": "", "./in.png": "", "sub/a b.png": "", "sub/../in.png": "", "link.png": "", "sub/up.png": "",
		"none.png": "is not there", "sub/none.png": "is not there", "in.png/x.png": "",
		"../out.png": "escapes", "sub/../../out.png": "escapes", "leaves.png": "escapes", "absolute.png": "escapes",
		"home/.ssh/id.png": "escapes", "zero.png": "escapes", "loop.png": "",
		filepath.Join(top, "out.png"): "absolute", filepath.Join(folder, "in.png"): "absolute", "/dev/zero": "absolute", "/proc/self/environ": "absolute",
		"folder.png": "is no file", "pipe.png": "is no file", "large.png": "more than the 20971520",
		"in.png\x00": "",
	} {
		start := time.Now()
		content, err := readPicture(folder, path, map[string][]byte{})
		good := slices.Contains([]string{"in.png", "./in.png", "sub/a b.png", "sub/../in.png", "link.png", "sub/up.png"}, path)
		if good != (err == nil) || good && !bytes.Equal(content, picture) {
			t.Errorf("%q: %d bytes, %v", path, len(content), err)
		}
		if err != nil && (!strings.Contains(err.Error(), says) || strings.ContainsAny(err.Error(), "\x00\n")) {
			t.Errorf("%q: %v does not say %q", path, err, says)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%q took %v", path, took)
		}
	}
}

// hugePNG says that it has very many pixels, and holds none.
func hugePNG(t *testing.T) []byte {
	raw := bytes.Clone(notebooktest.Image(t, ".png"))
	binary.BigEndian.PutUint32(raw[16:], 60000)
	binary.BigEndian.PutUint32(raw[20:], 60000)
	binary.BigEndian.PutUint32(raw[29:], crc32.ChecksumIEEE(raw[12:29]))
	return raw
}

// hugeGIF holds a frame of 60000 by 60000 pixels in few bytes, many times.
func hugeGIF(t *testing.T) []byte {
	raw := bytes.Clone(notebooktest.Image(t, ".gif"))
	frame := slices.Concat([]byte{0x2c, 0, 0, 0, 0, 4, 0, 3, 0, 0, 2}, []byte{2, 0x84, 0x51, 0})
	return append(raw[:len(raw)-1], append(bytes.Repeat(frame, maxAnimation+1), 0x3b)...)
}

func TestCheckPicture(t *testing.T) {
	for _, kind := range []string{".png", ".jpg", ".gif", ".svg"} {
		p, err := checkPicture(notebooktest.Image(t, kind), kind)
		if err != nil || len(p.leftOut) > 0 || len(p.content) == 0 || (p.poster != nil) != (kind == ".gif") {
			t.Errorf("%s: %v, %v", kind, p, err)
		}
	}
	for name, test := range map[string]struct {
		content []byte
		kind    string
		says    string
	}{
		"a key":                     {[]byte("-----BEGIN OPENSSH PRIVATE KEY-----"), ".png", "it is no PNG"},
		"empty":                     {nil, ".gif", "it is no GIF"},
		"HTML":                      {[]byte("<script>alert(1)</script>"), ".svg", `it is no SVG: it begins with "script"`},
		"a JPEG called PNG":         {notebooktest.Image(t, ".jpg"), ".png", "it is a JPEG under the name of a PNG: rename it"},
		"an SVG called PNG":         {notebooktest.Image(t, ".svg"), ".png", "it is no PNG"},
		"a PNG called SVG":          {notebooktest.Image(t, ".png"), ".svg", "it is no SVG"},
		"a PNG that is cut":         {notebooktest.Image(t, ".png")[:60], ".png", "it cannot be shown"},
		"a PNG of many pixels":      {hugePNG(t), ".png", "it has 60000 by 60000 pixels"},
		"a GIF of many pictures":    {hugeGIF(t), ".gif", "it cannot be shown: it has more than 10000 pictures"},
		"more bytes than are taken": {make([]byte, maxPicture+1), ".png", "it has 20971521 bytes"},
	} {
		if _, err := checkPicture(test.content, test.kind); err == nil || !strings.HasPrefix(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A GIF's pictures count for what they take in memory, before it is taken.
func TestGIFPixels(t *testing.T) {
	raw := bytes.Clone(notebooktest.Image(t, ".gif"))
	at := bytes.IndexByte(raw[13:], 0x2c) + 13
	binary.LittleEndian.PutUint16(raw[at+5:], 60000)
	binary.LittleEndian.PutUint16(raw[at+7:], 60000)
	if _, _, err := gifEnd(raw); err == nil || !strings.Contains(err.Error(), "pixels") {
		t.Errorf("%v", err)
	}
}

func FuzzCheckPicture(f *testing.F) {
	kinds := []string{".png", ".jpg", ".gif", ".svg"}
	for i, kind := range kinds {
		f.Add(notebooktest.Image(f, kind), i)
	}
	for _, svg := range notebooktest.HostileSVGs {
		f.Add([]byte(svg.In), 3)
	}
	f.Fuzz(func(t *testing.T, raw []byte, i int) {
		kind := kinds[(i%4+4)%4]
		p, err := checkPicture(raw, kind)
		if err != nil {
			return
		}
		again, err := checkPicture(p.content, kind)
		if err != nil || len(again.leftOut) > 0 || !bytes.Equal(again.content, p.content) {
			t.Errorf("cleaned %q\nbecomes %q, %v, %v", p.content, again.content, again.leftOut, err)
		}
	})
}
