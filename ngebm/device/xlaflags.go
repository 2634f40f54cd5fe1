package device

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"ngebm/data/files"
)

// xlaFlags is the environment variable that XLA's plugins read, be it for this program
// or for another.
const xlaFlags = "XLA_FLAGS"

// flagName finds the names of flags where XLA looks for them, after blanks. A value in
// quotes may have blanks.
var flagName = regexp.MustCompile(`(?:^|\s)--?(\w+)(?:=(?:'[^']*'|"[^"]*")?)?`)

// checkFlags refuses flags that a plugin does not know, which are those of another version
// of XLA: the plugin would end this process at them. What does not begin with a dash is
// the name of a file with flags.
func checkFlags(plugin, flags string) error {
	flags = strings.TrimSpace(flags)
	if flags == "" {
		return nil
	}
	whence := xlaFlags
	if !strings.HasPrefix(flags, "-") {
		whence = fmt.Sprintf("the file %q that %s names", flags, xlaFlags)
		content, err := files.ReadFile(flags, 1<<20)
		if err != nil {
			return fmt.Errorf("%s=%q is taken for a file with flags of XLA: %w; unset %s", xlaFlags, flags, err, xlaFlags)
		}
		flags = string(content)
	}
	var names []string
	for _, found := range flagName.FindAllStringSubmatch(flags, -1) {
		names = append(names, found[1])
	}
	unknown, err := missingStrings(plugin, names)
	if err != nil || len(unknown) == 0 {
		return err
	}
	return fmt.Errorf("%s holds %q, which this plugin does not know and would end the program at; unset %s, or take that out", whence, "--"+unknown[0], xlaFlags)
}

// missingStrings returns those strings that a compiled file does not hold as C does, with
// a zero byte after them. Flags of XLA are among them by their names. A plugin that is no
// file is one that go-xla looks up: nothing is known of it.
func missingStrings(path string, words []string) (missing []string, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) || len(words) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	found := make([]bool, len(words))
	longest := 0
	for _, w := range words {
		longest = max(longest, len(w)+1)
	}
	const piece = 1 << 20
	window := make([]byte, 0, longest+piece) // the end of what was before, and a piece
	for {
		keep := min(longest-1, len(window))
		copy(window[:keep], window[len(window)-keep:])
		n, err := io.ReadFull(f, window[keep:keep+piece])
		window = window[:keep+n]
		for i, w := range words {
			found[i] = found[i] || bytes.Contains(window, append([]byte(w), 0))
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	for i, w := range words {
		if !found[i] {
			missing = append(missing, w)
		}
	}
	return missing, nil
}
