// Command elsewhere is a program of another module. It prints, as JSON, what a library
// could have changed in its process, and waits for SIGINT if it is asked to.
//
//	elsewhere [use] [interrupt]
//
// With "use" it uses the libraries before that, where it is built with them.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"time"
)

// state is what a program calls its own.
type state struct {
	Environ      []string
	GCPercent    int
	MemoryLimit  int64
	MaxThreads   int
	PanicOnFault bool
	MaxProcs     int
	Goroutines   int
	Flags        []string
	LogFlags     int
	LogPrefix    string
	LogOutput    string
	Folder       string
	Malloc       string
}

func look() state {
	s := state{
		Environ:      os.Environ(),
		GCPercent:    debug.SetGCPercent(-1),
		MemoryLimit:  debug.SetMemoryLimit(-1),
		MaxThreads:   debug.SetMaxThreads(10000),
		PanicOnFault: debug.SetPanicOnFault(false),
		MaxProcs:     runtime.GOMAXPROCS(0),
		Goroutines:   runtime.NumGoroutine(),
		LogFlags:     log.Flags(),
		LogPrefix:    log.Prefix(),
		Malloc:       malloc(),
	}
	debug.SetGCPercent(s.GCPercent)
	debug.SetMaxThreads(s.MaxThreads)
	slices.Sort(s.Environ)
	flag.VisitAll(func(f *flag.Flag) { s.Flags = append(s.Flags, f.Name) })
	if log.Writer() != os.Stderr {
		s.LogOutput = fmt.Sprintf("%T", log.Writer())
	}
	s.Folder, _ = os.Getwd()
	return s
}

func main() {
	args := os.Args[1:]
	out := os.NewFile(3, "state") // nothing is printed but by libraries
	if slices.Contains(args, "use") {
		use()
		for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > 1 && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
	}
	if err := json.NewEncoder(out).Encode(look()); err != nil {
		panic(err)
	}
	if slices.Contains(args, "interrupt") {
		interrupt()
	}
}

// interrupt sends this process SIGINT, which ends it unless somebody else takes it.
func interrupt() {
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		panic(err)
	}
	time.Sleep(5 * time.Second)
}
