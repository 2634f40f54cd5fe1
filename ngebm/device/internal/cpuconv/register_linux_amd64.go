package cpuconv

/*
#cgo CFLAGS: -O3
#cgo LDFLAGS: -ldl
#include "microkernels_linux_amd64.h"
#include "ffi_linux_amd64.h"
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"sync"
	"unsafe"

	"golang.org/x/sys/cpu"
)

var registering sync.Mutex

// useWidest chooses the code for the processor's widest registers.
var useWidest = sync.OnceFunc(func() {
	if cpu.X86.HasAVX512F {
		C.microkernels_use(16)
	}
})

// Register makes a plugin of XLA's CPU, which is loaded, know the functions that [Rewrite] calls.
func Register(path string) error {
	registering.Lock()
	defer registering.Unlock()
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		return errors.New("the processor has no AVX2")
	}
	useWidest()
	file, names := C.CString(path), [2]*C.char{C.CString(convolution), C.CString(kernelGradient)}
	defer C.free(unsafe.Pointer(file))
	defer C.free(unsafe.Pointer(names[0]))
	defer C.free(unsafe.Pointer(names[1]))
	if why := C.ffi_register(file, names[0], names[1]); why != nil {
		return errors.New(C.GoString(why))
	}
	return nil
}
