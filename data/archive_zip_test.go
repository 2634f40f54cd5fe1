package data

import (
	"bytes"
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
