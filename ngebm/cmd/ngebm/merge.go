package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"ngebm/ngebm/study"
)

const mergeAbout = `Merge result files of ngebm experiment, say of several machines, into one, and print its tables. Files that
contradict each other are an error, and so is a file to write that has other runs.`

func merge(_ context.Context, args []string, stdout io.Writer) error {
	fs := flagSet("merge", mergeAbout, "ngebm merge -o all.json a.json b.json")
	out := fs.String("o", "results.json", "`file` for the merged results, as JSON")
	if err := parse(fs, args); err != nil {
		return err
	}
	return mergeFiles(stdout, *out, fs.Args())
}

// mergeFiles merges files of results.
func mergeFiles(stdout io.Writer, out string, paths []string) error {
	var all []*study.Results
	for _, path := range paths {
		if strings.HasPrefix(path, "-") {
			return fmt.Errorf("ngebm merge: %q is after a file; flags come before the files, as in ngebm merge -o all.json a.json b.json", path)
		}
	}
	if out == "" || out == "-" {
		return fmt.Errorf("ngebm merge: -o %q: name a file; the tables are printed all the same", out)
	}
	if err := checkOut("merge", out); err != nil {
		return err
	}
	for i, path := range paths {
		r, err := study.ReadResults(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "results %d: %s, %d runs\n", i+1, path, len(r.Runs))
		all = append(all, r)
	}
	merged, err := study.Merge(all...)
	if err != nil {
		return err
	}
	old, err := resultsAt("merge", out)
	if err != nil {
		return err
	}
	if old != nil {
		if err := merged.Keeps(old); err != nil {
			return fmt.Errorf("ngebm merge: -o %s would be replaced, and the files to merge lack what is in it: %w; name another file, or merge it, too", out, err)
		}
	}
	if err := merged.Write(out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s\n%s", merged, merged.Costs())
	return err
}
