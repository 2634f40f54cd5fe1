package notebook

import (
	"cmp"
	"regexp"
	"strings"

	"ngebm/notebooks/internal/printable"
)

// signals are the names of those that end programs, as Go writes them on Linux and macOS.
const signals = `abort trap|aborted|alarm clock|bad system call|broken pipe|bus error|(?i:cpu ?time limit exceeded|file ?size limit exceeded)|` +
	`EMT trap|floating point exception|hangup|I/O possible|illegal instruction|interrupt|killed|power failure|profiling timer expired|quit|` +
	`segmentation fault|signal \d+|stack fault|terminated|trace/(?:BPT|breakpoint) trap|user defined signal [12]|virtual timer expired`

// What GoNB prints on stderr, and no more than that, when a shell line of a cell
// ends in failure, and when it does not know a %command.
var (
	shellFailure = regexp.MustCompile(`(?m)^(?:exit status \d+|signal: (?:` + signals + `)(?: \(core dumped\))?)$`)
	unknownMagic = regexp.MustCompile(`"%\S*" unknown or not implemented yet\.`)
)

// Failure says why a cell that has run has failed, in some lines of text; it is
// empty if it has not. Kernels report an error for what does not compile, a
// panic or a non-zero exit of a cell's program, but nothing for a shell line that
// fails or a %command that does not exist: those are found by what they print.
func Failure(outputs []Output) string {
	var stderr strings.Builder
	reason := ""
	for _, o := range outputs {
		switch {
		case o.Kind == "error":
			reason = cmp.Or(o.Value, o.EName, "error")
		case o.Kind == "stream" && o.Name == "stderr":
			stderr.WriteString(printable.StripColors(string(o.Text)))
		}
	}
	printed := stderr.String()
	for _, sign := range []*regexp.Regexp{unknownMagic, shellFailure} {
		if found := sign.FindString(printed); reason == "" && found != "" {
			reason = found
		}
	}
	if reason == "" {
		return ""
	}
	var tail printable.Tail
	tail.Write([]byte(printed))
	if said := tail.String(); said != reason {
		reason = strings.TrimSpace(reason + "\n" + said)
	}
	return reason
}
