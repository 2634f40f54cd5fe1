package pjrthook

/*
#cgo LDFLAGS: -ldl
#include "hook_linux.h"
#include <stdlib.h>
*/
import "C"

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/cgo"
	"slices"
	"sync"
	"unsafe"

	"github.com/gomlx/go-xla/pjrt"
)

// intercepted is what this process has registered with go-xla, whose plugins are the
// process's too.
var intercepted struct {
	sync.Mutex
	paths    []string // all of one plugin
	identity string
}

// Intercept makes go-xla compile by this package where [Use] asks for it, for the clients
// that are made from now on of a plugin that is loaded: it registers, under the plugin's
// path, a copy of the plugin's table of functions with another one to compile. It
// returns the plugin's identity, that of the first call for it.
//
// go-xla registers without its lock, so the caller lets nobody open a plugin meanwhile.
func Intercept(path, identity string) (string, error) {
	intercepted.Lock()
	defer intercepted.Unlock()
	if slices.Contains(intercepted.paths, path) {
		return intercepted.identity, nil
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var why *C.char
	table := C.pjrthook_wrap(name, &why)
	if table == nil {
		return "", fmt.Errorf("plugin %s: %s", path, C.GoString(why))
	}
	if err := pjrt.RegisterPreloadedPlugin(path, uintptr(table)); err != nil {
		return "", err
	}
	if len(intercepted.paths) == 0 {
		intercepted.identity = identity
	}
	intercepted.paths = append(intercepted.paths, path)
	return intercepted.identity, nil
}

// Use calls compile. What it compiles on this goroutine, with a client of an intercepted
// plugin, is given to the handler.
func Use(handler Handler, compile func() error) error {
	runtime.LockOSThread() // go-xla calls the plugin on this thread
	defer runtime.UnlockOSThread()
	handle := cgo.NewHandle(handler)
	defer handle.Delete()
	C.pjrthook_use(C.uintptr_t(handle))
	defer C.pjrthook_use(0)
	return compile()
}

// call is the plugin's side of a Compilation.
type call struct {
	args    *C.pjrt_compile_args
	failure unsafe.Pointer // the plugin's error
}

// Compile compiles the program. Where that fails, whoever asked for it gets the plugin's error.
func (c *Compilation) Compile() (ok bool) {
	theirs := *c.call.args.program
	if !sameMemory(c.Program, bytesAt(unsafe.Pointer(theirs.code), theirs.code_size)) {
		program := C.CBytes(c.Program)
		defer C.free(program)
		c.call.args.program.code, c.call.args.program.code_size = (*C.char)(program), C.size_t(len(c.Program))
	}
	c.call.failure = C.pjrthook_compile(c.call.args)
	*c.call.args.program = theirs
	return c.call.failure == nil
}

func sameMemory(a, b []byte) bool {
	return unsafe.SliceData(a) == unsafe.SliceData(b) && len(a) == len(b)
}

// Load takes an executable of [Compilation.Serialize] in place of compiling.
func (c *Compilation) Load(executable []byte) (ok bool) {
	return C.pjrthook_load(c.call.args, unsafe.Pointer(unsafe.SliceData(executable)), C.size_t(len(executable))) != 0
}

// Serialize returns what was compiled.
func (c *Compilation) Serialize() (executable []byte, ok bool) {
	var out C.pjrt_serialize_args
	if C.pjrthook_serialize(c.call.args, &out) == 0 {
		return nil, false
	}
	defer C.pjrthook_release(&out)
	return bytes.Clone(bytesAt(unsafe.Pointer(out.bytes), out.size)), true
}

// pjrthookCompile does what PJRT_Client_Compile does, on a thread that has a handler.
//
//export pjrthookCompile
func pjrthookCompile(handle C.uintptr_t, args *C.pjrt_compile_args) unsafe.Pointer {
	c := &Compilation{
		Format:  bytesAt(unsafe.Pointer(args.program.format), args.program.format_size),
		Program: bytesAt(unsafe.Pointer(args.program.code), args.program.code_size),
		Options: bytesAt(unsafe.Pointer(args.options), args.options_size),
		call:    call{args: args},
	}
	cgo.Handle(handle).Value().(Handler)(c)
	return c.call.failure
}

// bytesAt is C's memory as a slice.
func bytesAt(p unsafe.Pointer, size C.size_t) []byte { return unsafe.Slice((*byte)(p), int(size)) }
