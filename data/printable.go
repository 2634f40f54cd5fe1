package data

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	printable "ngebm/data/plain"
)

// shown makes untrusted text safe to print: unchanged, or quoted and escaped if it has unprintable
// characters.
func shown(text string) string {
	if text != "" && isVisible(text) {
		return text
	}
	return strconv.Quote(text)
}

// isVisible reports whether a text is UTF-8 without control characters, line breaks and characters that
// change the writing direction.
func isVisible(text string) bool { return printable.IsVisible(text) }

// shownError removes the path from a file system error, for messages that name it themselves.
func shownError(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}

// maxListed bounds how many names an error or a report lists.
const maxListed = 5

// listed joins the first few texts.
func listed(texts []string, separator string) string {
	if more := len(texts) - maxListed; more > 0 {
		return strings.Join(texts[:maxListed], separator) + fmt.Sprintf("%sand %d more", separator, more)
	}
	return strings.Join(texts, separator)
}
