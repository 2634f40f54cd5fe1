package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"ngebm/data"
	"ngebm/data/fetch"
	"ngebm/data/progress"
	"ngebm/ngebm/environment"
)

const fetchAbout = `Download datasets before they are needed, say for a machine without a network: download the files, verify
their published checksums and decode them. Interrupted downloads resume. Files that you downloaded yourself
belong in the cache folder, under the names that -list shows; they are verified in the same way. The cache
folder is -cache, else $NGEBM_DATA, else ngebm/data in your user cache folder. With NGEBM_OFFLINE=1 no
command downloads anything.`

func fetchSets(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flagSet("fetch", fetchAbout, "ngebm fetch svhn cifar10-c:fog/3; ngebm fetch -list")
	list := fs.Bool("list", false, "list the datasets: size, license, whether they are in the cache, their files and the sources of their checksums")
	offline := fs.Bool("offline", false, "download nothing: verify and decode what is in the cache, and report what is missing")
	cache := fs.String("cache", "", "cache `folder` (default $NGEBM_DATA, else ngebm/data in your user cache folder)")
	names, err := parseAmong(fs, args)
	if err != nil {
		return err
	}
	opts := environment.Data(progress.ForTerminal(os.Stderr))
	opts.Cache, opts.Offline = cmp.Or(*cache, opts.Cache), *offline || opts.Offline
	switch {
	case *list && len(names) > 0:
		return fmt.Errorf("ngebm fetch: -list takes no names; unexpected argument %q", names[0])
	case *list:
		folder, err := opts.CacheFolder()
		if err != nil {
			return err
		}
		return listPublished(stdout, folder, data.PublishedSets())
	case len(names) == 0:
		return errors.New("ngebm fetch: name a dataset, as in ngebm fetch svhn, or list them with -list")
	}
	for _, name := range names {
		train, test, err := data.Open(ctx, name, opts)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s\n  %s, checksum %s\n  %s, checksum %s\n  %s; license: %s\n",
			name, train, train.Checksum, test, test.Checksum, test.Source, test.License)
	}
	return nil
}

// listPublished prints a row for each set and one for each of its files.
func listPublished(w io.Writer, folder string, sets []data.Published) error {
	fmt.Fprintf(w, "cache folder: %s\n\n", folder)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "set\tdownload\tin cache\tlicense")
	for _, s := range sets {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", s.Name, size(s.Files), inCache(folder, s.Files), s.License)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nfiles, which you can also get and put there yourself:")
	shown := map[string]bool{}
	for _, s := range sets {
		for _, f := range s.Files {
			if shown[f.Name] {
				continue
			}
			shown[f.Name] = true
			compared := "not compared with the original by this project"
			if f.Compared != "" {
				compared = "compared by this project with " + f.Compared
			}
			fmt.Fprintf(w, "\n%s (there: %s)\n  %s\n  %s: %s\n", f.Path(folder), f.State(folder), f.Checksum(), f.Published, compared)
			how := ""
			if s.Browser {
				how = " (by hand, in a browser)"
			}
			for _, u := range f.URLs {
				fmt.Fprintf(w, "  %s%s\n", u, how)
			}
		}
	}
	return nil
}

// size is that of all files together, as far as it was published.
func size(files []fetch.File) string {
	var sum int64
	for _, f := range files {
		if f.Size == 0 {
			return "unknown"
		}
		sum += f.Size
	}
	return progress.Report{Unit: "bytes", Done: sum}.Amount()
}

// inCache reports whether the files are in the folder.
func inCache(folder string, files []fetch.File) string {
	most, least := fetch.Absent, fetch.Present
	for _, f := range files {
		most, least = max(most, f.State(folder)), min(least, f.State(folder))
	}
	if most != least {
		return fetch.Partial.String()
	}
	return least.String()
}
