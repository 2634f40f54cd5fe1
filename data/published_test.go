package data

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ngebm/data/fetch"
	"ngebm/data/progress"
)

// served puts the contents of a set's files, in their order, on a server on the
// loopback, and makes the set expect them. It counts the requests.
func (p Published) served(t *testing.T, contents ...[]byte) (_ Published, requests *int) {
	t.Helper()
	if len(contents) != len(p.Files) {
		t.Fatalf("%d contents for the %d files of %s", len(contents), len(p.Files), p.Name)
	}
	requests = new(int)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*requests++
		for i, f := range p.Files {
			if r.URL.Path == "/"+f.Name {
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(contents[i]))
				return
			}
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(server.Close)
	p.Files = slices.Clone(p.Files)
	for i, content := range contents {
		f := &p.Files[i]
		sum := sha256.Sum256(content)
		f.URLs, f.Size, f.SHA256, f.MD5 = []string{server.URL + "/" + f.Name}, int64(len(content)), hex.EncodeToString(sum[:]), ""
	}
	return p, requests
}

// everyCut calls read with each beginning of a file, which must be refused.
func everyCut(t *testing.T, what string, whole []byte, read func(cut []byte) error) {
	t.Helper()
	if err := read(whole); err != nil {
		t.Fatalf("%s, whole: %v", what, err)
	}
	for n := range whole {
		if read(whole[:n]) == nil {
			t.Errorf("%s, cut at byte %d of %d, was accepted", what, n, len(whole))
		}
	}
}

// What is published says where it is and where its checksum comes from.
func TestPublishedSets(t *testing.T) {
	names, files := map[string]bool{}, map[string]fetch.File{}
	compared := 0
	for _, p := range PublishedSets() {
		if names[p.Name] || p.Name == "" || p.Title == "" || p.Source == "" || p.License == "" || len(p.Files) == 0 {
			t.Errorf("%+v is there twice or lacks something", p)
		}
		names[p.Name] = true
		for _, f := range p.Files {
			sum := regexp.MustCompile("^([0-9a-f]{64}|)$").MatchString(f.SHA256) && regexp.MustCompile("^([0-9a-f]{32}|)$").MatchString(f.MD5)
			if !sum || (f.SHA256 == "") == (f.MD5 == "") || f.Published == "" || len(f.URLs) == 0 && !p.Browser {
				t.Errorf("%s: %+v lacks a checksum, its source or an address", p.Name, f)
			}
			if f.SHA256 != "" && f.Size == 0 {
				t.Errorf("%s: %s has no size", p.Name, f.Name)
			}
			for _, u := range f.URLs {
				if !strings.HasPrefix(u, "https://") && !strings.HasPrefix(u, "http://") {
					t.Errorf("%s is no address", u)
				}
			}
			if other, ok := files[f.Name]; ok && other.Checksum() != f.Checksum() {
				t.Errorf("%s stands for two files", f.Name)
			}
			files[f.Name] = f
			if f.Compared != "" {
				compared++
			}
		}
	}
	// MNIST's four and the labels of Fashion-MNIST.
	if compared != 6 {
		t.Errorf("%d files were compared with a copy, want 6", compared)
	}
	if want := "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"; files["mnist-train-images-idx3-ubyte.gz"].SHA256 != want {
		t.Error("MNIST's training images have another checksum")
	}
}

// Each published set of any name is reached by Open, and without a network says
// which file to put where.
func TestPublishedOffline(t *testing.T) {
	for _, p := range PublishedSets() {
		if p.Browser {
			continue
		}
		name := strings.Replace(p.Name, "KIND[/SEVERITY]", "fog/3", 1)
		cache := t.TempDir()
		_, _, err := Open(t.Context(), name, Options{Cache: cache, Offline: true})
		first := p.Files[0]
		if strings.HasSuffix(name, "fog/3") { // the clean set comes first
			first = map[string]Published{"cifar10-c:fog/3": cifar10().published, "cifar100-c:fog/3": cifar100().published}[name].Files[0]
		}
		says(t, err, "data: ", first.Name+" is not in the cache, and downloads are forbidden (offline)",
			"get it from "+first.URLs[0], first.Checksum(), "put it at "+filepath.Join(cache, first.Name))
		if strings.HasSuffix(name, "mnist") && strings.Count(name, ":") == 0 {
			for _, f := range p.Files {
				says(t, err, "put it at "+f.Path(cache))
			}
		}
		if !errors.Is(err, fetch.ErrOffline) {
			t.Errorf("%s: %v is not ErrOffline", name, err)
		}
	}
}

// The whole way by name, from a server on the loopback: download, check, decode,
// cache, batches, and again without a server.
func TestOpenPublished(t *testing.T) {
	m := smallMNIST()
	var requests *int
	m.published, requests = m.published.served(t, mnistFiles(t)...)
	opts := Options{Cache: t.TempDir(), published: []source{{"mnist", "", "", m.open}}}
	train, _ := open(t, "mnist", opts)
	batches, err := NewBatches(train, 2, 1, Augment{})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(batches.At(0).X); got != 2*4 {
		t.Errorf("a batch of 2 images of 2x2 has %d values", got)
	}
	if *requests != 4 {
		t.Errorf("%d requests, want 4", *requests)
	}
	// Neither the server nor the files are needed again: the decoded set is
	// known by the checksums of the files it came from.
	for _, f := range m.published.Files {
		if err := os.Remove(f.Path(opts.Cache)); err != nil {
			t.Fatal(err)
		}
	}
	opts.Offline = true
	if again, _ := open(t, "mnist", opts); again.Checksum != train.Checksum || *requests != 4 {
		t.Errorf("the second time took %d requests and gave %v", *requests-4, again)
	}
}

// A decoding that is called off ends, and keeps nothing.
func TestPublishedCancelled(t *testing.T) {
	m := smallMNIST()
	m.published, _ = m.published.served(t, mnistFiles(t)...)
	ctx, cancel := context.WithCancel(t.Context())
	opts := Options{Cache: t.TempDir(), Progress: reporter(func(r progress.Report) {
		if strings.HasPrefix(r.Task, "decode") {
			cancel()
		}
	})}
	_, _, err := m.open(ctx, "", opts)
	says(t, err, "context canceled")
	for _, name := range folderNames(t, opts.Cache) {
		if strings.HasPrefix(name, "decoded-") {
			t.Errorf("%s was kept", name)
		}
	}
}

// What another user of a shared folder does to a file, once its checksum was found right, does not become
// the published set.
func TestPublishedExchanged(t *testing.T) {
	other := gzipOf(t, idx([]int{3}, 1, 1, 1))
	for name, change := range map[string]func(path string) error{
		"replaced": func(path string) error {
			return errors.Join(os.WriteFile(path+".other", other, 0o644), os.Rename(path+".other", path))
		},
		"written over": func(path string) error { return os.WriteFile(path, other, 0o644) },
	} {
		m := smallMNIST()
		m.published, _ = m.published.served(t, mnistFiles(t)...)
		opts := Options{Cache: t.TempDir()}
		opts.Progress = reporter(func(r progress.Report) {
			if r.Task == "decode "+m.published.Files[0].Name && r.Finished { // the labels come next
				time.Sleep(20 * time.Millisecond) // longer than the disk's clock ticks
				if err := change(m.published.Files[1].Path(opts.Cache)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
		_, _, err := m.open(t.Context(), "", opts)
		says(t, err, "was changed while it was read: run again")
		for _, file := range folderNames(t, opts.Cache) {
			if strings.HasPrefix(file, "decoded-") {
				t.Errorf("%s: %s was kept", name, file)
			}
		}
	}
}

// discard is for a reporter that nobody reads.
func discard(progress.Report) {}

type reporter func(progress.Report)

func (r reporter) Report(report progress.Report) { r(report) }
