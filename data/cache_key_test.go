package data

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ngebm/data/files"
)

// exchange exchanges two files by renaming.
func exchange(t *testing.T, a, b string) {
	t.Helper()
	for _, step := range [][2]string{{a, a + ".x"}, {b, a}, {a + ".x", b}} {
		if err := os.Rename(step[0], step[1]); err != nil {
			t.Fatal(err)
		}
	}
}

// sameTime gives files one time of modification.
func sameTime(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.Chtimes(path, time.Unix(1e9, 0), time.Unix(1e9, 0)); err != nil {
			t.Fatal(err)
		}
	}
}

// Images of one size and time never keep the labels or pixels that they had under another
// name, neither where the system reports every change nor where contents are compared.
func TestExchangedImagesAreNoticed(t *testing.T) {
	images := []archived{ // as Netpbm, so that all have one length
		{"a/1.pgm", []byte("P2 1 1 9 1")}, {"a/2.pgm", []byte("P2 1 1 9 2")}, {"b/1.pgm", []byte("P2 1 1 9 3")}, {"b/2.pgm", []byte("P2 1 1 9 4")},
	}
	never := func(fs.FileInfo) (time.Time, bool) { return time.Time{}, false }
	for name, changed := range map[string]func(fs.FileInfo) (time.Time, bool){"by the system": files.Changed, "by content": never} {
		for what, change := range map[string]func(t *testing.T, a, b string){
			"exchanged": exchange,
			"written over": func(t *testing.T, a, b string) {
				content, err := os.ReadFile(b)
				if err == nil {
					err = os.WriteFile(a, content, 0o644)
				}
				if err != nil {
					t.Fatal(err)
				}
			},
			"written over and back": func(t *testing.T, a, b string) {
				exchange(t, a, b)
				exchange(t, filepath.Join(filepath.Dir(a), "2.pgm"), filepath.Join(filepath.Dir(b), "2.pgm"))
			},
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				root := writeFolder(t, images)
				var paths []string
				for _, f := range images {
					paths = append(paths, filepath.Join(root, f.name))
				}
				sameTime(t, paths...)
				read := func(cache string) string {
					opts := Options{Cache: cache, Progress: &reports{}}
					in, err := newFolder(root)
					if err != nil {
						t.Fatal(err)
					}
					defer in.Close()
					in.changed = changed
					train, test, err := openImages(t.Context(), root, in, userImages(), opts)
					if err != nil {
						t.Fatal(err)
					}
					return train.Checksum + test.Checksum
				}
				cache := t.TempDir()
				before := read(cache)
				change(t, paths[0], paths[2])
				sameTime(t, paths...)
				after, fresh := read(cache), read(t.TempDir())
				if after == before || after != fresh {
					t.Error("it is still the set of before")
				}
			})
		}
	}
}

// So for archives.
func TestExchangedArchivesAreNoticed(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.tar"), filepath.Join(dir, "b.tar")
	for i, path := range []string{a, b} {
		if err := os.WriteFile(path, tarOf(t, []archived{{"x/1.pgm", []byte{'P', '2', ' ', '1', ' ', '1', ' ', '9', ' ', '0' + byte(i)}}, {"x/2.pgm", []byte("P2 1 1 9 5")}}), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sameTime(t, a, b)
	opts := Options{Cache: t.TempDir()}
	_, before := open(t, "tar:"+a, opts)
	beforeTrain, _ := open(t, "tar:"+a, opts)
	exchange(t, a, b)
	sameTime(t, a, b)
	train, after := open(t, "tar:"+a, opts)
	if train.Checksum+after.Checksum == beforeTrain.Checksum+before.Checksum {
		t.Error("it is still the archive of before")
	}
}

// Where the time of a change says too little, the content is part of the key.
func TestKeyOfCoarseTimes(t *testing.T) {
	path := writeFile(t, "x", []byte("x"))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		at   time.Time
		ok   bool
		want bool // that the content is read
	}{
		"a fraction of a second": {time.Unix(1e9, 1e6), true, false},
		"whole seconds":          {time.Unix(1e9, 0), true, true},
		"none":                   {time.Time{}, false, true},
	} {
		keys := keyer{hash: sha256.New(), changed: func(fs.FileInfo) (time.Time, bool) { return c.at, c.ok }}
		read := false
		err := keys.add(t.Context(), "x", info, func() (*os.File, error) {
			read = true
			return os.Open(path)
		})
		if err != nil || read != c.want {
			t.Errorf("%s: the content was read: %v, want %v (%v)", name, read, c.want, err)
		}
	}
}

// A set that was changed within the last tick of the clock is read when that is over: a
// change after that has another time.
func TestKeySettles(t *testing.T) {
	path := writeFile(t, "x", []byte("x"))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	at, ok := files.Changed(info)
	if !ok {
		t.Skip("this system does not tell of changes")
	}
	if _, err := fileKey(context.Background(), path, files.OpenLinked); err != nil {
		t.Fatal(err)
	}
	if since := time.Since(at); since < 20*time.Millisecond {
		t.Errorf("the key is there %v after the change", since)
	}
}

// BenchmarkFolderKey measures what the key of 60,000 files costs; by name, size and time
// alone is what it cost before.
func BenchmarkFolderKey(b *testing.B) {
	root := b.TempDir()
	for i := range 60000 {
		dir := filepath.Join(root, string(rune('a'+i%10)))
		if i < 10 {
			if err := os.Mkdir(dir, 0o755); err != nil {
				b.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, time.Duration(i).String()+".png"), make([]byte, 300), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	for name, changed := range map[string]func(fs.FileInfo) (time.Time, bool){
		"inode and ctime": files.Changed,
		"content":         func(fs.FileInfo) (time.Time, bool) { return time.Time{}, false },
	} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				f, err := newFolder(root)
				if err != nil {
					b.Fatal(err)
				}
				f.changed = changed
				if _, err := f.key(b.Context()); err != nil {
					b.Fatal(err)
				}
				if err := f.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("names, sizes and times", func(b *testing.B) {
		for range b.N {
			hash := sha256.New()
			err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				info, err := os.Stat(path)
				if err == nil {
					fmt.Fprintf(hash, "%q %d %d\n", path, info.Size(), info.ModTime().UnixNano())
				}
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
