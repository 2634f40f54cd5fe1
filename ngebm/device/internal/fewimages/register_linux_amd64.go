package fewimages

/*
#cgo CFLAGS: -O3
#cgo LDFLAGS: -ldl
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

// Register makes a plugin of XLA's CPU, which is loaded, know the function that [Rewrite] calls.
func Register(path string) error {
	registering.Lock()
	defer registering.Unlock()
	lanes := 8
	switch {
	case !cpu.X86.HasAVX2 || !cpu.X86.HasFMA:
		return errors.New("the processor has no AVX2")
	case cpu.X86.HasAVX512F:
		lanes = 16
	}
	file, name := C.CString(path), C.CString(function)
	defer C.free(unsafe.Pointer(file))
	defer C.free(unsafe.Pointer(name))
	if why := C.fewimages_register(file, name, C.int(lanes)); why != nil {
		return errors.New(C.GoString(why))
	}
	return nil
}
