package publish

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ngebm/notebooks/internal/notebook"
	"ngebm/notebooks/internal/proc"
	"ngebm/notebooks/internal/setup"
)

// origin is where pages come from. What is not known is empty: none of it is guessed, and the
// same commit gives the same pages.
type origin struct {
	Revision   string // the commit, 12 digits; "… and changes" where files differ from it
	Date       string // of that commit, as 2006-01-02, in UTC
	Repository string // https address, from git's remote "origin"
	License    string // of the repository, as SPDX writes it
}

// originOf asks git, if there is git and the folder is a repository's.
func originOf(ctx context.Context, root string) origin {
	o := origin{License: licenseOf(root)}
	commit := strings.Fields(git(ctx, root, "show", "-s", "--abbrev=12", "--format=%h %ct", "HEAD"))
	if len(commit) != 2 {
		return o
	}
	seconds, err := strconv.ParseInt(commit[1], 10, 64)
	if err != nil {
		return o
	}
	o.Revision, o.Date = commit[0], time.Unix(seconds, 0).UTC().Format(time.DateOnly)
	if git(ctx, root, "status", "--porcelain", "--untracked-files=no") != "" {
		o.Revision += " and changes"
	}
	o.Repository = webAddress(git(ctx, root, "remote", "get-url", "origin"))
	return o
}

// git returns what a command of git prints; nothing if it fails.
func git(ctx context.Context, root string, args ...string) string {
	cmd := proc.Command(ctx, "git", args...)
	cmd.Dir = root
	printed, err := cmd.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(printed))
}

// sshRemote is git@host:owner/name, as hosts offer it.
var sshRemote = regexp.MustCompile(`^(?:ssh://)?git@([A-Za-z0-9.-]+)[:/](.+)$`)

// webAddress returns the https address of a remote on a public host; nothing for folders,
// hosts without a domain, and addresses with a password or a port.
func webAddress(remote string) string {
	if m := sshRemote.FindStringSubmatch(remote); m != nil {
		remote = "https://" + m[1] + "/" + m[2]
	}
	u, err := url.Parse(strings.TrimSuffix(remote, ".git"))
	host := regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}$`)
	if err != nil || u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || !host.MatchString(u.Host) ||
		strings.HasSuffix(u.Host, ".local") || strings.HasSuffix(u.Host, ".internal") {
		return ""
	}
	return u.String()
}

// licenseOf recognizes the license of a repository by its file LICENSE.
func licenseOf(root string) string {
	text, err := os.ReadFile(filepath.Join(root, "LICENSE"))
	if err != nil {
		return ""
	}
	head := string(text[:min(len(text), 400)])
	switch {
	case strings.Contains(head, "Apache License") && strings.Contains(head, "Version 2.0"):
		return "Apache-2.0"
	case strings.Contains(head, "MIT License"):
		return "MIT"
	}
	return ""
}

// isTracked reports whether a notebook is one of the repository's, which is of that origin: only then
// its license and revision are the notebook's. A copy that git does not know is not; where there is
// no git, all notebooks of the folder are.
func isTracked(ctx context.Context, p *setup.Workspace, path string, of origin) bool {
	to, err := filepath.Rel(p.Root, path)
	if err != nil || !filepath.IsLocal(to) {
		return false
	}
	return of.Revision == "" || git(ctx, p.Root, "ls-files", "--", ":(literal)"+filepath.ToSlash(to)) != ""
}

// description is the first sentence of a notebook's summary, without marks.
func description(doc *notebook.Document) string {
	_, summary := doc.Introduction()
	return notebook.InlineText(notebook.FirstSentence(summary))
}
