package ngebm

import (
	"testing"

	"ngebm/data"
)

func TestWithoutFolders(t *testing.T) {
	for name, want := range map[string]string{
		"digits": "digits", "moons:200": "moons:200", "cifar10-c:fog/3": "cifar10-c:fog/3", "uniform noise": "uniform noise", "celeba": "celeba",
		"csv:/home/ada/wine.csv@class": "csv:wine.csv@class", "csv:ada/a.csv,/home/b.csv@a/b": "csv:a.csv,b.csv@a/b", "csv:/home/ada/folder": "csv:folder",
		"folder:/home/ada/photos@64": "folder:photos@64", "tar:../ada/x.tar.gz": "tar:x.tar.gz", "zip:ada/secret/x.zip": "zip:x.zip",
		"npz:/data/a.npz": "npz:a.npz", "celeba:/data/celeba": "celeba:celeba",
		"folder:..@64": "folder:@64", "folder:/@8": "folder:@8", "folder:/": "folder:", "celeba:a/..": "celeba:", "folder:..pets@64": "folder:..pets@64", "folder:..@64/": "folder:", "folder:/@64/": "folder:@64/",
		"folder:/home/ada/photos@64/": "folder:photos@64/", "folder:photos@64/": "folder:photos@64/", "tar:ada/x@2x/": "tar:x@2x/", "folder:ada/photos@64/@32": "folder:photos@64@32",
		"csv:/ada/..@class": "csv:@class", "csv:a.csv,..@class": "csv:a.csv,@class",
		"folder:.": "folder:.", "folder:.@64": "folder:.@64", "folder:./": "folder:.", "csv:.@class": "csv:.@class",
		"folder:ada/photos/@64": "folder:photos@64", "folder:ada/me@home/@48x64x1": "folder:me@home@48x64x1", "folder:@64": "folder:@64", "csv:@class": "csv:@class",
	} {
		c := DefaultConfig(name, "mlp-4")
		c.Margin.Outliers = name
		public := c.WithoutFolders()
		if public.Data != want || public.Margin.Outliers != want || public.Hash("x") != c.Hash("x") {
			t.Errorf("%s: %s, %s", name, public.Data, public.Margin.Outliers)
		}
		fit, _ := data.FitOf(name)
		if got, err := data.FitOf(public.Data); got != fit {
			t.Errorf("%s: images fit %q, those of %s %q (%v)", name, fit, public.Data, got, err)
		}
	}
}
