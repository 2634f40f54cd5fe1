package compilecache

/*
#cgo LDFLAGS: -ldl
#include "hook_linux.h"
#include <stdlib.h>
*/
import "C"

import (
	"fmt"
	"runtime"
	"runtime/cgo"
	"sync"
	"unsafe"

	"github.com/gomlx/go-xla/pjrt"
)

// intercepted is what this process has registered with go-xla, whose plugins are the
// process's too.
var intercepted struct {
	sync.Mutex
	path, identity string
}

// Intercept makes go-xla compile by this package where [Cache.Use] asks for it, for the
// clients that are made from now on of a plugin that is loaded: it registers, under the
// plugin's path, a copy of the plugin's table of functions with another one to compile. It
// returns the plugin's identity, that of the first call for it.
//
// go-xla registers without its lock, so the caller lets nobody open a plugin meanwhile.
func Intercept(path, identity string) (string, error) {
	intercepted.Lock()
	defer intercepted.Unlock()
	if intercepted.path == path {
		return intercepted.identity, nil
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var why *C.char
	table := C.compilecache_wrap(name, &why)
	if table == nil {
		return "", fmt.Errorf("plugin %s: %s", path, C.GoString(why))
	}
	if err := pjrt.RegisterPreloadedPlugin(path, uintptr(table)); err != nil {
		return "", err
	}
	intercepted.path, intercepted.identity = path, identity
	return identity, nil
}

// Use calls compile. What it compiles on this goroutine, with a client of an intercepted
// plugin, comes from the cache or goes there. Without a cache (nil) it is compiled.
func (c *Cache) Use(compile func() error) error {
	if c == nil {
		return compile()
	}
	runtime.LockOSThread() // go-xla calls the plugin on this thread
	defer runtime.UnlockOSThread()
	handle := cgo.NewHandle(c)
	defer handle.Delete()
	C.compilecache_use(C.uintptr_t(handle))
	defer C.compilecache_use(0)
	return compile()
}

// compilecacheCompile does what PJRT_Client_Compile does, on a thread that has a cache.
//
//export compilecacheCompile
func compilecacheCompile(handle C.uintptr_t, args *C.pjrt_compile_args) unsafe.Pointer {
	c := cgo.Handle(handle).Value().(*Cache)
	name := c.name(
		bytesAt(unsafe.Pointer(args.program.format), args.program.format_size),
		bytesAt(unsafe.Pointer(args.program.code), args.program.code_size),
		bytesAt(unsafe.Pointer(args.options), args.options_size))
	if stored, err := c.read(name); err == nil {
		if C.compilecache_load(args, unsafe.Pointer(unsafe.SliceData(stored)), C.size_t(len(stored))) != 0 {
			c.loaded.Add(1)
			return nil
		}
	}
	if failure := C.compilecache_compile(args); failure != nil {
		return failure
	}
	c.compiled.Add(1)
	var out C.pjrt_serialize_args
	if C.compilecache_serialize(args, &out) != 0 {
		_ = c.write(name, bytesAt(unsafe.Pointer(out.bytes), out.size)) // it is compiled again next time
		C.compilecache_release(&out)
	}
	return nil
}

// bytesAt is C's memory as a slice.
func bytesAt(p unsafe.Pointer, size C.size_t) []byte { return unsafe.Slice((*byte)(p), int(size)) }
