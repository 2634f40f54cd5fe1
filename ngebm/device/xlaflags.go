package device

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"ngebm/data/files"
)

// xlaFlags is the environment variable from which XLA's plugins read their flags.
const xlaFlags = "XLA_FLAGS"

// flagName matches the names of flags as XLA parses them, after whitespace. A quoted value
// may have spaces.
var flagName = regexp.MustCompile(`(?:^|\s)--?(\w+)(?:=(?:'[^']*'|"[^"]*")?)?`)

// checkFlags returns an error for flags that a plugin does not know, such as those of another
// version of XLA: the plugin would end this process. Text that does not begin with a dash
// names a file of flags.
func checkFlags(plugin, flags string) error {
	flags = strings.TrimSpace(flags)
	if flags == "" {
		return nil
	}
	origin := xlaFlags
	if !strings.HasPrefix(flags, "-") {
		origin = fmt.Sprintf("the file %q that %s names", flags, xlaFlags)
		content, err := files.ReadLinked(flags, 1<<20)
		if err != nil {
			return fmt.Errorf("%s=%q is read as a file of XLA flags: %w; unset %s", xlaFlags, flags, err, xlaFlags)
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
	return fmt.Errorf("%s holds %q, which this plugin does not know and would end the program at; unset %s, or remove the flag", origin, "--"+unknown[0], xlaFlags)
}

// missingStrings returns the strings that a compiled file does not hold as C strings, with a
// zero byte after them. A plugin holds the names of its flags. A plugin that is not a file
// is one that go-xla searches for: it has no known flags, and nothing is missing.
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
	window := make([]byte, 0, longest+piece) // the end of the previous piece, and a piece
	for {
		keep := min(longest-1, len(window))
		copy(window[:keep], window[len(window)-keep:])
		n, err := io.ReadFull(f, window[keep:keep+piece])
		window = window[:keep+n]
		for i, w := range words {
			found[i] = found[i] || bytes.Contains(window, append([]byte(w), 0))
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF || !slices.Contains(found, false) {
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
