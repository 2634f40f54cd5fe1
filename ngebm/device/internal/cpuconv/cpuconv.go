// Package cpuconv computes convolutions and the gradients of their kernels on the CPU, faster than XLA does, and those of
// one image on all cores. The times of steps and of one image with and without it are in package bench.
//
// [Rewrite] puts a call of a function of this package in place of each convolution of a program for
// which there is code: of float32, in the layouts of ordinary networks, without dilations and groups, with kernels of
// up to 9 positions. The call also does what networks do before and after a convolution:
// LeakyReLU of the input, the bias, and the sum with another tensor. [Register] makes the plugin know the functions, by
// XLA's interface for that (FFI). They run on XLA's thread and on threads of this package, up to one fewer than XLA has,
// which sleep when there is nothing to do.
//
// A convolution is computed by tiles that stay in the processor's registers, 3x3 kernels without strides in
// half as many multiplications (microkernels_linux_amd64.h), for some images at a time, whose rows stay in a cache. So is the
// gradient of a kernel, for the same kernels and 16, 32, 48 … output channels. The code for AVX-512 gives the same bits as that
// for AVX2 (168 convolutions and gradients, on a Skylake-X that Bochs 2.7 emulates). Results are the same bit for bit with any
// number of threads, and differ from XLA's by rounding: a few 10⁻⁷ of the largest value, with Winograd's method a few 10⁻⁶. With that
// method a value that is not finite, or is above 6e37, spoils the four rows of the result that are computed together.
package cpuconv

import (
	"bytes"
	"regexp"
)

// The names of the functions that programs call. A new meaning of an attribute wants a new name: compiled programs are
// kept.
const (
	convolution    = "ngebm_convolution_3"
	kernelGradient = "ngebm_kernel_gradient_1"
)

// oneDevice begins a program for one device; those for more have attributes there.
var oneDevice = regexp.MustCompile(`^module @\S+ \{\n`)

// Rewrite returns a program in which convolutions, and gradients of kernels, call the functions of this package. A program that
// is not what go-xla writes for one device is returned as it is.
func Rewrite(program []byte) []byte {
	if !oneDevice.Match(program) || !bytes.Contains(program, []byte(`"stablehlo.convolution"(`)) {
		return program
	}
	g := read(program)
	calls := make(map[*op]call) // by the ops that they replace
	for i := range g.ops {
		o := &g.ops[i]
		if o.name != "convolution" {
			continue
		}
		c := parse(o)
		f, ok := g.kernelGradient(c, o)
		if !ok {
			f, ok = g.convolution(c, o, calls)
		}
		if ok {
			calls[f.in] = f
		}
	}
	var out []byte
	done := 0
	for i := range g.ops {
		if c, ok := calls[&g.ops[i]]; ok {
			out = append(append(out, program[done:c.in.start]...), c.text()...)
			done = c.in.end
		}
	}
	if done == 0 {
		return program
	}
	return append(out, program[done:]...)
}
