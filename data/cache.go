package data

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"ngebm/data/files"
)

// A cache file holds a decoded image dataset, training and test set:
//
//	magic                8 bytes, cacheMagic
//	length of the header 4 bytes, little-endian
//	header               JSON, a cacheHeader
//	SHA-256 of it        32 bytes
//	for each part        its pixels; its labels, 4 bytes each, little-endian
//
// The two checksums of [Info] in the header cover the body. A file that is damaged, or was made
// from something else than its key says, counts as absent.
const (
	cacheMagic     = "NGEBMSET"
	cacheVersion   = 6 // of this layout, of the decoders and of the note
	maxCacheHeader = 1 << 24
	maxCacheFile   = 2*maxDecoded + 1<<30 // an NPZ file may have maxDecoded to train, and as much to test
)

type cacheHeader struct {
	Version int
	Key     string // identifies what the dataset was decoded from
	Parts   [2]cachePart
	Note    string // for the user
}

type cachePart struct {
	Info     Info
	Shape    []int
	MaxPixel uint8
	Len      int
}

// cached returns the dataset that build makes, from a cache file if there is a valid one. of
// identifies the file in the cache folder; key must change whenever the source of the dataset does.
func cached(opts Options, of, key string, build func() (train, test *Dataset, err error)) (train, test *Dataset, err error) {
	return cachedWithNote(opts, of, key, func() (train, test *Dataset, note string, err error) {
		train, test, err = build()
		return train, test, "", err
	})
}

// cachedWithNote is [cached] for datasets with a note for the user, reported each time.
func cachedWithNote(opts Options, of, key string, build func() (train, test *Dataset, note string, err error)) (train, test *Dataset, err error) {
	folder, folderErr := opts.CacheFolder()
	name := sha256.Sum256([]byte(of))
	path := filepath.Join(folder, fmt.Sprintf("decoded-%x.ngebm", name[:8]))
	if info, err := os.Lstat(path); err == nil && !files.Mine(info) { // another user's, in a shared folder
		path = filepath.Join(folder, fmt.Sprintf("decoded-%x-%d.ngebm", name[:8], os.Geteuid()))
	}
	tell := func(note string) {
		if note != "" {
			notice(opts.Progress, note)
		}
	}
	if folderErr == nil {
		if train, test, note, err := readCacheFile(path, key); err == nil {
			tell(note)
			return train, test, nil
		}
	}
	train, test, note, err := build()
	if err != nil {
		return nil, nil, err
	}
	tell(note)
	if folderErr == nil {
		folderErr = writeCacheFile(path, key, train, test, note)
	}
	if folderErr != nil {
		// The dataset is usable; it is decoded again the next time.
		notice(opts.Progress, fmt.Sprintf("not cached: %v", folderErr))
	}
	return train, test, nil
}

func writeCacheFile(path, key string, train, test *Dataset, note string) error {
	file, err := files.Create(path, 0o644) // readable by all who share the folder
	if err != nil {
		return err
	}
	defer file.Discard()
	w := bufio.NewWriterSize(file, 1<<20)
	if err := writeCache(w, key, train, test, note); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Commit()
}

func writeCache(w io.Writer, key string, train, test *Dataset, note string) error {
	header := cacheHeader{Version: cacheVersion, Key: key, Note: note}
	for i, d := range []*Dataset{train, test} {
		header.Parts[i] = cachePart{d.Info, d.Shape, d.MaxPixel, d.Len()}
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	start := append([]byte(cacheMagic), binary.LittleEndian.AppendUint32(nil, uint32(len(text)))...)
	for _, b := range [][]byte{start, text, sum[:]} {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	for _, d := range []*Dataset{train, test} {
		if _, err := w.Write(d.Pixels); err != nil {
			return err
		}
		if err := binary.Write(w, binary.LittleEndian, d.Labels); err != nil {
			return err
		}
	}
	return nil
}

func readCacheFile(path, key string) (train, test *Dataset, note string, err error) {
	file, err := files.Open(path, maxCacheFile)
	if err != nil {
		return nil, nil, "", err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, nil, "", err
	}
	// The content is not compared with its source, so only this user's files are trusted.
	if !files.Mine(info) || info.Mode().Perm()&0o022 != 0 {
		return nil, nil, "", errors.New("others could have written it")
	}
	return readCache(file, info.Size(), key)
}

// readCache reads a cache file of the given size. It allocates memory only for what the size shows to
// exist.
func readCache(r io.Reader, size int64, key string) (train, test *Dataset, note string, err error) {
	start := make([]byte, len(cacheMagic)+4)
	if _, err := io.ReadFull(r, start); err != nil {
		return nil, nil, "", err
	}
	length := int64(binary.LittleEndian.Uint32(start[len(cacheMagic):]))
	rest := size - int64(len(start)) - length - sha256.Size
	if string(start[:len(cacheMagic)]) != cacheMagic || length > maxCacheHeader || rest < 0 {
		return nil, nil, "", errors.New("not a cache file")
	}
	text := make([]byte, length+sha256.Size)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, nil, "", err
	}
	text, sum := text[:length], text[length:]
	if want := sha256.Sum256(text); !bytes.Equal(sum, want[:]) {
		return nil, nil, "", errors.New("the header's checksum is wrong")
	}
	var header cacheHeader
	if err := json.Unmarshal(text, &header); err != nil {
		return nil, nil, "", err
	}
	if header.Version != cacheVersion || header.Key != key {
		return nil, nil, "", errors.New("made from something else")
	}
	var parts [2]*Dataset
	for i, p := range header.Parts {
		if parts[i], err = p.read(r, &rest); err != nil {
			return nil, nil, "", err
		}
	}
	if rest != 0 {
		return nil, nil, "", errors.New("the length does not match the header")
	}
	return parts[0], parts[1], header.Note, nil
}

// read reads one part and subtracts its length from rest.
func (p cachePart) read(r io.Reader, rest *int64) (*Dataset, error) {
	d := Dataset{Info: p.Info, Shape: p.Shape, MaxPixel: p.MaxPixel}
	if len(p.Shape) != 3 || p.Len < 1 || int64(p.Len) > *rest/4 {
		return nil, errors.New("the length does not match the header")
	}
	pixels := int64(p.Len)
	for _, side := range p.Shape {
		if side < 1 || int64(side) > *rest/pixels {
			return nil, errors.New("the length does not match the header")
		}
		pixels *= int64(side)
	}
	if *rest -= pixels + 4*int64(p.Len); *rest < 0 {
		return nil, errors.New("the length does not match the header")
	}
	d.Pixels = make([]uint8, pixels)
	if _, err := io.ReadFull(r, d.Pixels); err != nil {
		return nil, err
	}
	d.Labels = make([]int32, p.Len)
	if err := binary.Read(r, binary.LittleEndian, d.Labels); err != nil {
		return nil, err
	}
	made, err := New(d)
	if err != nil {
		return nil, err
	}
	if made.Checksum != p.Info.Checksum {
		return nil, fmt.Errorf("the %s part's checksum is wrong", p.Info.Split)
	}
	return made, nil
}
