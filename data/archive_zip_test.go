package data

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

func TestZipRefuses(t *testing.T) {
	pets := petFiles(t)
	whole := zipOf(t, pets)
	damaged := bytes.Clone(whole)
	damaged[30+len(pets[0].name)+30] ^= 1 // in the first image
	bomb := archived{"train/cat/x.png", make([]byte, maxImageFile+1)}
	hidden := zipOf(t, append(pets, bomb)) // says that the bomb has 9 bytes
	at := bytes.LastIndex(hidden, []byte("PK\x01\x02"))
	copy(hidden[at+24:], []byte{9, 0, 0, 0})
	for name, c := range map[string]struct {
		archive []byte
		want    string
	}{
		"empty":          {nil, "it is not a whole zip file"},
		"tar":            {tarOf(t, pets), "it is not a whole zip file"},
		"cut":            {whole[:len(whole)-30], "it is not a whole zip file"},
		"goes on":        {append(bytes.Clone(whole), "more"...), "it continues after the end of the zip file"},
		"no images":      {zipOf(t, []archived{{"x.txt", nil}}), "it has no images (it has 1 .txt file): want train/<class>/"},
		"no test images": {zipOf(t, pets[:3]), "it has no images in test"},
		"leads out":      {zipOf(t, append(pets, archived{"../train/cat/x.png", nil})), `the name "../train/cat/x.png" leads out of it`},
		"absolute":       {zipOf(t, append(pets, archived{"/train/cat/x.png", nil})), `the name "/train/cat/x.png" leads out of it`},
		"twice":          {zipOf(t, append(pets, pets[0])), `"train/dog/a.png" is there twice`},
		"two image sets": {zipOf(t, append(pets, archived{"other/train/cat/a.png", nil})), `it has two image folders, "other/" and ""`},
		"damaged":        {damaged, "train/dog/a.png"},
		"bomb":           {zipOf(t, append(pets, bomb)), "train/cat/x.png cannot be read: it has more than 64 MiB"},
		"hidden bomb":    {hidden, "train/cat/x.png cannot be read: zip: not a valid zip file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Open(t.Context(), "zip:"+writeFile(t, "pets.zip", c.archive), Options{Cache: t.TempDir()})
			says(t, err, c.want)
		})
	}
	for n := range whole {
		if _, _, err := readImages(t.Context(), &zipBytes{content: whole[:n]}); err == nil {
			t.Errorf("a zip file cut at byte %d of %d was accepted", n, len(whole))
		}
	}
	_, _, err := Open(t.Context(), "zip:nowhere.zip", Options{Cache: t.TempDir()})
	says(t, err, "no archive at ", "check the path")
	if _, _, err = Open(t.Context(), "zip:"+t.TempDir(), Options{}); !strings.Contains(err.Error(), "is a folder, not an archive: write folder:") {
		t.Error(err)
	}
}

// Entries of the directory that share one file's content do not unpack for hours.
func TestZipOfSharedContent(t *testing.T) {
	whole := zipOf(t, []archived{{"train/cat/00000.png", make([]byte, maxZippedFree)}})
	first, end := bytes.Index(whole, []byte("PK\x01\x02")), bytes.LastIndex(whole, []byte("PK\x05\x06"))
	entry, tail := whole[first:end], bytes.Clone(whole[end:])
	archive, directory := bytes.Clone(whole[:first]), []byte(nil)
	const entries = 40
	for k := range entries {
		part := "train"
		if k%2 == 1 {
			part = "test/"
		}
		one := bytes.Replace(entry, []byte("train/cat/00000"), fmt.Appendf(nil, "%s/cat/%05d", part, k), 1)
		directory = append(directory, bytes.ReplaceAll(one, []byte("test//cat/"), []byte("test/cats/"))...)
	}
	binary.LittleEndian.PutUint16(tail[8:], entries)
	binary.LittleEndian.PutUint16(tail[10:], entries)
	binary.LittleEndian.PutUint32(tail[12:], uint32(len(directory)))
	archive = append(append(archive, directory...), tail...)
	_, _, err := Open(t.Context(), "zip:"+writeFile(t, "shared.zip", archive), Options{Cache: t.TempDir()})
	says(t, err, "it unpacks to more than 256 MiB and 200 times its size")
}
