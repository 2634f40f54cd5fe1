package cpuconv

import "math"

// HasGradient reports whether there is code for the gradient of such a kernel (rows, columns, channels in and out), unless
// a tensor, or what is kept meanwhile, is larger than 1 GiB.
func HasGradient(kernel []int) bool { return Convolves(kernel) && kernel[3]%16 == 0 }

// kernelGradient returns the call that replaces the gradient of a kernel for which there is code. Operands are the
// convolution's input and what arrives at its result.
func (g *graph) kernelGradient(c conv, o *op) (call, bool) {
	if !c.gradient || !c.fits() {
		return call{}, false
	}
	f, slope := g.newCall(kernelGradient, o)
	f.result = c.kernel
	// How many images are prepared at a time, and into how many chunks their lines are divided, for threads to share.
	perImage, rows, pixel := 0, c.kernel[0], c.x[3]
	if pixel%32 == 0 {
		pixel += 16
	}
	if c.winograd() {
		rows = 6
		perImage = 6 * ((c.y[1] + 3) / 4) * ((c.y[2]+2)*pixel + c.y[2]*c.y[3])
	} else {
		h, w := c.padded()
		perImage = h*w*pixel + product(c.y[1:])
	}
	const items = 32 // for each chunk, row and 16 channels
	group := min(max(1, prepared/perImage), c.x[0])
	chunks := (items + rows*c.y[3]/16 - 1) / (rows * c.y[3] / 16)
	f.scratch = group*perImage + chunks*rows*c.kernel[1]*c.kernel[2]*c.kernel[3]
	if f.scratch > maxScratch {
		return call{}, false
	}
	f.attributes = append(c.attributes(), int(math.Float32bits(slope)), group, chunks)
	return f, true
}
