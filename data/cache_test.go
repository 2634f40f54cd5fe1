package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func cacheFile(t testing.TB) []byte {
	t.Helper()
	train, err := New(twoImages())
	if err != nil {
		t.Fatal(err)
	}
	test, err := train.Subset("test", []int{0})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := writeCache(&out, "key", train, test, "left out"); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestCacheRoundTrip(t *testing.T) {
	file := cacheFile(t)
	train, test, note, err := readCache(bytes.NewReader(file), int64(len(file)), "key")
	if err != nil {
		t.Fatal(err)
	}
	want, _ := New(twoImages())
	if train.Checksum != want.Checksum || train.String() != want.String() || test.Len() != 1 || test.Split != "test" || note != "left out" {
		t.Errorf("got %v and %v", train, test)
	}
	if _, _, _, err := readCache(bytes.NewReader(file), int64(len(file)), "other key"); err == nil {
		t.Error("a file made from something else was accepted")
	}
}

// No single damaged byte and no cut passes.
func TestCacheDamaged(t *testing.T) {
	file := cacheFile(t)
	for i := range file {
		damaged := slices.Clone(file)
		damaged[i] ^= 0x10
		if _, _, _, err := readCache(bytes.NewReader(damaged), int64(len(damaged)), "key"); err == nil {
			t.Errorf("damage at byte %d of %d went unnoticed", i, len(file))
		}
		if _, _, _, err := readCache(bytes.NewReader(file[:i]), int64(i), "key"); err == nil {
			t.Errorf("a file cut at byte %d of %d was accepted", i, len(file))
		}
	}
	if _, _, _, err := readCache(bytes.NewReader(append(file, 0)), int64(len(file)+1), "key"); err == nil {
		t.Error("a file that goes on was accepted")
	}
}

// A damaged cache file is replaced without a word, and the set is right.
func TestCacheRebuilt(t *testing.T) {
	name := "folder:" + writeFolder(t, petFiles(t))
	opts := Options{Cache: t.TempDir()}
	first, _ := open(t, name, opts)
	names := folderNames(t, opts.Cache)
	if len(names) != 1 {
		t.Fatalf("the cache holds %v", names)
	}
	path := filepath.Join(opts.Cache, names[0])
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	unfinished := filepath.Join(opts.Cache, "."+names[0]+"5577006791947779410") // a killed process left it
	if err := os.WriteFile(unfinished, good, 0o644); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if _, err := os.Stat(unfinished); err == nil {
			t.Error("an unfinished file is still there")
		}
	}()
	for what, content := range map[string][]byte{"cut": good[:len(good)-1], "damaged": append(good[:len(good)-1:len(good)-1], good[len(good)-1]+1), "emptied": nil} {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if again, _ := open(t, name, opts); again.Checksum != first.Checksum {
			t.Errorf("%s: got %v", what, again)
		}
		if restored, _ := os.ReadFile(path); !bytes.Equal(restored, good) {
			t.Errorf("%s: the cache file was not made anew", what)
		}
	}
}

// withHeader makes a cache file whose header has the right checksum, whatever it
// says.
func withHeader(header, body []byte) []byte {
	sum := sha256.Sum256(header)
	return slices.Concat([]byte(cacheMagic), binary.LittleEndian.AppendUint32(nil, uint32(len(header))), header, sum[:], body)
}

// A header that promises more than the file has takes no memory.
func TestCacheAbsurdHeader(t *testing.T) {
	for _, part := range []cachePart{
		{Shape: []int{1 << 13, 1 << 13, 1 << 13}, MaxPixel: 255, Len: 1 << 40},
		{Shape: []int{1 << 31, 1 << 31, 4}, MaxPixel: 255, Len: 1},
		{Shape: []int{1, 1, 1}, MaxPixel: 255, Len: 1 << 62},
		{Shape: []int{-1, -1, 1}, MaxPixel: 255, Len: 1},
		{Shape: []int{1}, MaxPixel: 255, Len: 1},
		{Shape: []int{1, 1, 1}, MaxPixel: 255, Len: -1},
	} {
		text, err := json.Marshal(cacheHeader{Version: cacheVersion, Key: "key", Parts: [2]cachePart{part, part}})
		if err != nil {
			t.Fatal(err)
		}
		file := withHeader(text, make([]byte, 100))
		_, _, _, err = readCache(bytes.NewReader(file), int64(len(file)), "key")
		says(t, err, "the length does not match the header")
	}
}

// The cache file of the largest NPZ file, with maxDecoded to train and as much to test, is read.
func TestCacheOfTheLargestDataset(t *testing.T) {
	path := writeFile(t, "large", nil)
	if err := os.Truncate(path, 2*maxDecoded+maxCacheHeader); err != nil { // takes no room on most disks
		t.Skip(err)
	}
	_, _, _, err := readCacheFile(path, "key")
	says(t, err, "not a cache file")
}

// A cache of before, whose key knew names, sizes and times only, is not used.
func TestCacheOfAnOlderVersion(t *testing.T) {
	file := cacheFile(t)
	length := binary.LittleEndian.Uint32(file[len(cacheMagic):])
	header, body := file[len(cacheMagic)+4:][:length], file[len(cacheMagic)+4:][length+sha256.Size:]
	before := bytes.Replace(header, fmt.Appendf(nil, `"Version":%d`, cacheVersion), []byte(`"Version":1`), 1)
	for want, header := range map[string][]byte{"": header, "made from something else": before} {
		file := withHeader(header, body)
		if _, _, _, err := readCache(bytes.NewReader(file), int64(len(file)), "key"); want == "" && err != nil {
			t.Error(err)
		} else if want != "" {
			says(t, err, want)
		}
	}
}

func FuzzCache(f *testing.F) {
	file := cacheFile(f)
	length := binary.LittleEndian.Uint32(file[len(cacheMagic):])
	header, body := file[len(cacheMagic)+4:][:length], file[len(cacheMagic)+4:][length+sha256.Size:]
	f.Add(header, body)
	f.Fuzz(func(t *testing.T, header, body []byte) {
		file := withHeader(header, body)
		train, test, _, err := readCache(bytes.NewReader(file), int64(len(file)), "key")
		if err == nil && (train.Len() < 1 || test.Len() < 1) {
			t.Errorf("accepted %v and %v", train, test)
		}
	})
}
