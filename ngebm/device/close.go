package device

import (
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"

	"ngebm/ngebm/device/internal/cpuconv"
)

// ErrClosed is wrapped by the errors of compiling and executing on a closed device.
var ErrClosed = errors.New("the device is closed")

// closable is a backend that can be closed at any time. XLA ends the process if a client is
// destroyed while it is in use. So no client is destroyed here: it is freed with the last
// buffer, executable and graph that refer to it.
type closable struct {
	compute.Backend
	compiler
	version func() string // what PluginVersion returns, or nil
	mu      sync.RWMutex  // held for reading by what runs
	closed  bool
}

// PluginName is XLA's, by which package convgrad knows what is fast; empty for other
// backends.
func (b *closable) PluginName() string {
	if xla, ok := b.Backend.(interface{ PluginName() string }); ok {
		return xla.PluginName()
	}
	return ""
}

// Convolves reports whether this module's code computes convolutions with such a kernel (rows, columns, channels in and
// out) in place of XLA's, by which package convgrad knows what is fast.
func (b *closable) Convolves(kernel []int) bool { return b.convolves && cpuconv.Convolves(kernel) }

// KernelGradient is Convolves for the gradient of such a kernel, written as one convolution.
func (b *closable) KernelGradient(kernel []int) bool {
	return b.convolves && cpuconv.HasGradient(kernel)
}

// PluginVersion identifies what computes: XLA's plugin, wherever it lies, and this module's code for convolutions where that
// takes part, "PJRT 0.98, SHA-256 0a0fe56ca17b, convolutions 9f86d081884c", the first digits of their checksums. It
// is empty for other backends, and where the plugin's file cannot be read.
func (b *closable) PluginVersion() string {
	if b.version == nil {
		return ""
	}
	return b.version()
}

// Description is the backend's, with the plugin's file name in place of its path: it goes into what is
// published.
func (b *closable) Description() string {
	text := b.Backend.Description()
	if path := b.PluginName(); filepath.IsAbs(path) {
		text = strings.ReplaceAll(text, path, filepath.Base(path))
	}
	return text
}

// run calls f unless the backend is closed, which waits for f.
func (b *closable) run(f func() error) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		return ErrClosed
	}
	return f()
}

// Finalize waits for running calls and makes later ones fail. IsFinalized stays false, so
// that earlier results can be read and freed.
func (b *closable) Finalize() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	runtime.GC() // the client's memory is not Go's, so it would cause no collection
}

func (b *closable) Builder(name string) compute.Builder {
	return &closableBuilder{b.Backend.Builder(name), b}
}

func (b *closable) BufferFromFlatData(device compute.DeviceNum, flat any, shape shapes.Shape) (buffer compute.Buffer, err error) {
	err = b.run(func() (err error) {
		buffer, err = b.Backend.BufferFromFlatData(device, flat, shape)
		return err
	})
	return b.own(buffer), err
}

func (b *closable) NewSharedBuffer(device compute.DeviceNum, shape shapes.Shape) (buffer compute.Buffer, flat any, err error) {
	err = b.run(func() (err error) {
		buffer, flat, err = b.Backend.NewSharedBuffer(device, shape)
		return err
	})
	return b.own(buffer), flat, err
}

// own wraps a buffer of the inner backend as one of this backend.
func (b *closable) own(buffer compute.Buffer) compute.Buffer {
	if buffer == nil {
		return nil
	}
	return &closableBuffer{buffer, b}
}

// closableBuffer belongs to the closable backend: tensors compare backends. Its data can be
// read after the backend was closed.
type closableBuffer struct {
	compute.Buffer
	of *closable
}

func (b *closableBuffer) Backend() compute.Backend { return b.of }

func (b *closableBuffer) CopyToDevice(device compute.DeviceNum) (buffer compute.Buffer, err error) {
	err = b.of.run(func() (err error) {
		buffer, err = b.Buffer.CopyToDevice(device)
		return err
	})
	return b.of.own(buffer), err
}

type closableBuilder struct {
	compute.Builder
	of *closable
}

func (b *closableBuilder) Compile() (compiled compute.Executable, err error) {
	err = b.of.run(func() error {
		return b.of.compile(func() error {
			e, err := b.Builder.Compile()
			if err == nil {
				compiled = &closableExecutable{e, b.of}
			}
			return err
		})
	})
	return compiled, err
}

type closableExecutable struct {
	compute.Executable
	of *closable
}

func (e *closableExecutable) Execute(inputs []compute.Buffer, donate []bool, device compute.DeviceNum) (outputs []compute.Buffer, err error) {
	err = e.of.run(func() (err error) {
		own := make([]compute.Buffer, len(inputs))
		for i, buffer := range inputs {
			own[i] = buffer
			if c, ok := buffer.(*closableBuffer); ok {
				own[i] = c.Buffer
			}
		}
		outputs, err = e.Executable.Execute(own, donate, device)
		for i, buffer := range outputs {
			outputs[i] = e.of.own(buffer)
		}
		return err
	})
	return outputs, err
}
