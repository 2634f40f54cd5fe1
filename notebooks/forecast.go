package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"ngebm/data/progress"
)

// forecast tells how long the notebooks that are still to run will take: what
// they say of themselves, at the speed at which those before them went.
type forecast struct {
	mu       sync.Mutex
	expected []time.Duration // of each notebook, 0 where it does not say
	at       int             // the one that runs
	begun    time.Time
	told     time.Duration // expected and taken by those that have run
	taken    time.Duration
}

// untold is what a notebook is expected to take that says nothing.
const untold = time.Minute

func (f *forecast) add(expected time.Duration) {
	if expected <= 0 {
		expected = untold
	}
	f.expected = append(f.expected, expected)
}

// begin and end enclose the run of each notebook.
func (f *forecast) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun = time.Now()
}

func (f *forecast) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told += f.expected[f.at]
	f.taken += time.Since(f.begun)
	f.at++
}

// String is "notebook 2 of 6, about 3 min 05 s left in all".
func (f *forecast) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.at >= len(f.expected) {
		return ""
	}
	left, overdue := f.left(time.Since(f.begun))
	about := fmt.Sprintf("about %s left in all", progress.Duration(left))
	switch last := f.at+1 == len(f.expected); {
	case overdue && last:
		about = "longer than it says"
	case overdue:
		about = fmt.Sprintf("longer than it says, about %s left after it", progress.Duration(left))
	}
	return fmt.Sprintf("(notebook %d of %d, %s)", f.at+1, len(f.expected), about)
}

// left is the time to the end when the notebook that runs has taken that long. Where
// that is more than expected, it is the time of those after it, at the speed seen now.
func (f *forecast) left(running time.Duration) (left time.Duration, overdue bool) {
	speed := 1.
	if f.told > 0 {
		speed = float64(f.taken) / float64(f.told)
	}
	scale := func(d time.Duration) time.Duration { return time.Duration(speed * float64(d)) }
	if left = scale(f.expected[f.at]) - running; left < 0 {
		left, overdue = 0, true
		speed = float64(f.taken+running) / float64(f.told+f.expected[f.at])
	}
	for _, later := range f.expected[f.at+1:] {
		left += scale(later)
	}
	return left, overdue
}

// saidTime is how people write a time: "About a minute and a half", "20 seconds".
var saidTime = regexp.MustCompile(`(?i)\b(half an?|an?|one|two|three|four|five|six|seven|eight|nine|ten|\d+)\s+(second|minute)s?( and a half)?`)

// toldTime is how long a notebook says that it takes, 0 if it does not.
func toldTime(doc *document) time.Duration {
	found := saidTime.FindStringSubmatch(told(doc, timeLead))
	if found == nil {
		return 0
	}
	words := map[string]float64{
		"half a": .5, "half an": .5, "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5,
		"six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
	}
	amount, ok := words[strings.ToLower(found[1])]
	if !ok {
		n, err := strconv.Atoi(found[1])
		if err != nil || n > 1000 {
			return 0
		}
		amount = float64(n)
	}
	if found[3] != "" {
		amount += .5
	}
	unit := time.Second
	if strings.EqualFold(found[2], "minute") {
		unit = time.Minute
	}
	return time.Duration(amount * float64(unit))
}
