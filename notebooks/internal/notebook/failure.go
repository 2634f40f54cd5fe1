package notebook

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
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
// empty if it has not. The number is the cell's, among the code cells. Kernels report an error for what does not compile, a
// panic or a non-zero exit of a cell's program, but nothing for a shell line that
// fails or a %command that does not exist: those are found by what they print.
func Failure(number int, outputs []Output) string {
	var stderr strings.Builder
	reason := ""
	for _, o := range outputs {
		switch {
		case o.Kind == "error":
			reason = cmp.Or(o.compilerErrors(number), o.Value, o.EName, "error")
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

// inCell begins the element of GoNB's traceback for a compiler error whose source line is
// known. Lines of the generated file follow, and the message is the last line.
var inCell = regexp.MustCompile(`^Cell\[(\d+)\]: Line (\d+)\n`)

// compilerErrors returns an error's value with lines of cells in place of lines of the file
// that GoNB generates; "line 4: " is in the cell of that number. It is empty if the traceback
// has no lines of cells, as for an error that is not the compiler's.
func (o Output) compilerErrors(number int) string {
	said := strings.Split(o.Value, "\n")
	if len(said) != len(o.Trace) { // GoNB has one element for each line
		return ""
	}
	var lines []string
	found := false
	for i, line := range said {
		element := printable.StripColors(o.Trace[i])
		at := inCell.FindStringSubmatch(element)
		message := element[strings.LastIndex(element, "\n")+1:]
		switch {
		case at != nil && strings.HasSuffix(line, message):
			found = true
			where := "line " + at[2]
			if at[1] != strconv.Itoa(number) {
				where = fmt.Sprintf("cell %s, line %s", at[1], at[2])
			}
			lines = append(lines, where+": "+strings.TrimSpace(message))
		case strings.HasPrefix(line, "# gonb_"): // the package that GoNB generates
		default:
			lines = append(lines, line)
		}
	}
	if !found {
		return ""
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
