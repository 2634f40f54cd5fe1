// Package convgrad makes GoMLX's convolutions differentiable any number of
// times. It is imported for its effect:
//
//	import _ "ngebm/ngebm/internal/convgrad"
//
// # Why
//
// The NG-EBM loss holds ‖∂E/∂x‖, so training differentiates a gradient. GoMLX
// v0.28.8 cannot: the gradient of a convolution that was given strides (1
// included, so any of layers.Convolution) is a convolution with input dilation,
// whose gradient panics. Its first derivatives too have a fault: with respect to
// the input they are shifted by one position, without a word, where the kernel
// has an even size (dilation counted in), and some such shapes panic.
//
// # How
//
// A convolution y = C(x, w) is bilinear, so its derivative with respect to one
// argument is linear in what arrives from above and in the other argument:
//
//	dx = I(dy, w)   the way back to the input
//	dw = K(x, dy)   the way back to the kernel
//
// These three maps are three views of one trilinear form T(x, w, y): holding two
// of its tensors, each map makes the one that stands for the third,
//
//	⟨dy, C(x, w)⟩ = ⟨I(dy, w), x⟩ = ⟨K(x, dy), w⟩ = T(x, w, dy)
//
// T has a plain formula. Along each spatial axis, with input dilation b, kernel
// dilation d, stride s and padding p in front,
//
//	T = Σ x[batch, in, n] · w[in, out, j] · y[batch, out, i]  over  b·n − d·j − s·i = −p
//
// It is symmetric in the tensors: each shares one of the indices batch, in,
// out with either of the others, and the condition on the positions is linear. To
// sum it over any two of the tensors is again a convolution, in which one of them
// plays the input and the other the kernel; reversing the positions of a tensor
// (n → N−1−n) gives the condition the signs that a convolution wants. Padding
// follows from the condition in front, and behind from the size of the result. So
// the derivative of a convolution is two convolutions, and theirs too, for every
// order, stride, padding and dilation. Groups are convolutions side by side.
//
// # Which forms run
//
// Of the two tensors that are summed over, the one with fewer positions plays the
// kernel: a convolution's cost is the positions of the result times those of the
// kernel. For the usual small kernels that makes
//
//	C  input x,  kernel w            stride s, kernel dilation d
//	I  input dy, kernel w reversed   input dilation s, kernel dilation d
//	K  input x,  kernel dy           stride d, kernel dilation s
//
// at every order: those of ordinary training, and first derivatives are the very
// operations of the library (but for the paddings that it gets wrong). A gradient
// norm adds to a convolution one I for the norm itself and one C and one K for the
// norm's gradient, u being what arrives at I(dy, w): C(u, w) goes to dy, and
// K(u, dy) to w.
//
// On the CPU some take another way to the same value. The way back through a stride is computed without the input
// dilation's zeros, the gradient of a 1x1 kernel is a matrix product, and in loops the forms are built in the one layout
// that has fast code (cpu.go). Where the device has code for convolutions of float32 (package device: x86-64 Linux), C
// and I in that layout are left to it, and so is K of 16, 32, … output channels, in the one layout in which it knows K.
//
// Elsewhere, in float64 and on several devices, C and I of 64 channels and more with 3x3 kernels at every
// position take half as many multiplications (tiles.go); [Tiled] is for those who build the first C.
//
// The gradient of a 3x3 kernel is computed by products of matrices, of three shifts by three
// (shifts.go): of 16 channels and more at every position, of 64 and more with stride 2. Where
// both have 48 channels together, tiles halve these products too.
//
// # Where the time goes
//
// In a step of WRN-10-2 (64 images, two cores of an AMD EPYC), convolutions and gradients of kernels by the device
// are four fifths of cross-entropy's time and three quarters of NG-EBM's, a tenth of them what is prepared.
//
// K of 3x3 kernels by XLA's products and by the device, in GFLOP/s on two cores of an AMD EPYC with AVX2 (Zen 1, whose
// peak is 79) by the clock, in turns, the best of 10 (1 December 2026). Half of the multiplications that are counted are not
// done where the stride is 1:
//
//	images  size   channels  stride  products  device
//	64      32x32  16, 16    1       28        73
//	64      32x32  16, 32    1       29        72
//	64      32x32  32, 32    1       44        66
//	64      32x32  32, 64    1       60        93
//	64      32x32  64, 64    2       42        63
//	64      16x16  64, 64    1       75        111
//	64      16x16  64, 128   1       86        117
//	64      16x16  128, 128  2       57        63
//	64      8x8    128, 128  1       94        120
//	32      32x32  64, 64    1       68        114
//	32      16x16  128, 128  1       74        125
//	32      8x8    256, 256  1       116       125
//	16      8x8    256, 256  1       110       120
//	128     16x16  32, 32    1       50        85
//
// On the processors that follow, XLA's code only.
//
// K of 3x3 kernels, as one convolution, by products, and as it is computed, in GFLOP/s on two
// cores of an AMD EPYC: with AVX-512 by the clock, on a quiet machine, best of 20 (29 November
// 2026), with AVX2 by processor time, before tiles (28 November):
//
//	                                  AVX-512                        AVX2
//	images  size   channels  stride  convolution  products  now     convolution  products
//	64      32x32  16, 16    1       65           61        59      37           59
//	64      32x32  16, 32    1       74           78        106     38           80
//	64      32x32  32, 32    1       81           98        141     30           94
//	64      32x32  32, 64    1       77           96        178     15           86
//	64      32x32  64, 64    2       66           73        78      54           78
//	64      16x16  64, 64    1       94           112       143     69           98
//	64      16x16  64, 128   1       135          129       200     62           113
//	64      16x16  128, 128  2       109          116       122     71           104
//	64      8x8    128, 128  1       153          143       215     88           123
//	32      32x32  64, 64    1       106          111       150     27           100
//	32      16x16  128, 128  1       150          143       214     73           125
//	32      8x8    256, 256  1       170          185       269     111          140
//	16      8x8    256, 256  1       164          176       232     115          138
//	128     16x16  32, 32    1       63           99        146     63           94
//
// On two cores of an Intel Xeon (Emerald Rapids) by the clock (29 November 2026), before and after the
// smaller side of products of 64 and 128 channels came first:
//
//	images  size   channels  stride  convolution  before  now
//	64      32x32  16, 16    1       28           51      51
//	64      32x32  16, 32    1       29           54      56
//	64      32x32  32, 32    1       33           83      82
//	64      32x32  32, 64    1       34           125     120
//	64      32x32  64, 64    2       34           60      80
//	64      16x16  64, 64    1       42           87      127
//	64      16x16  64, 128   1       55           130     179
//	64      16x16  128, 128  2       80           92      134
//	64      8x8    128, 128  1       137          153     198
//	32      32x32  64, 64    1       46           90      130
//	32      16x16  128, 128  1       83           165     184
//	32      8x8    256, 256  1       170          260     243
//	16      8x8    256, 256  1       170          260     236
//	128     16x16  32, 32    1       28           77      79
//
// On two cores of an AMD EPYC of a later generation (Zen 5) by the clock (30 November 2026):
//
//	images  size   channels  stride  convolution  now
//	64      32x32  16, 16    1       98           110
//	64      32x32  16, 32    1       119          150
//	64      32x32  32, 32    1       107          211
//	64      32x32  32, 64    1       123          299
//	64      32x32  64, 64    2       88           156
//	64      16x16  64, 64    1       110          329
//	64      16x16  64, 128   1       187          385
//	64      16x16  128, 128  2       176          271
//	64      8x8    128, 128  1       255          444
//	32      32x32  64, 64    1       161          356
//	32      16x16  128, 128  1       184          429
//	32      8x8    256, 256  1       286          552
//	16      8x8    256, 256  1       293          420
//	128     16x16  32, 32    1       104          225
//
// C reaches 140 to 200 on the first AMD, 190 to 320 on the Intel. With few channels, packing and copying
// take half of K's time or more. This repeats the first table:
//
//	go test -run - -bench KernelGradient -benchtime 10x ./ngebm/internal/convgrad
//
// Slower than tiles were: shifts of x that are padded after D·x in place of before (.7 of the
// speed with 32 channels), contiguous parts of x, of three columns as channels, a third of dy's
// columns at a time (.6), and one product of all six rows (.6).
//
// Slower than these products were, at 32x32 with 32 channels: nine products (1.4 times the
// time), im2col and one product (2.1 times), three products of x's shifts by columns (1.4),
// contiguous shifts of padded and flattened inputs (1.3), and the same product in 4 to 64
// parts, in a loop on the device (1.1 to 1.3) or not (1.0). Which side comes first was not
// compared on an AMD: the compiler turns the transpose of a product round again, unless it is
// reshaped in between. From 3 to 16 channels a convolution is as fast.
//
// Tiles make a step of WRN-16-4 (32 images) 7 % faster for cross-entropy and 9 % for
// NG-EBM, and it compiles in 5 s in place of 2. Winograd's F(2x2, 3x3), in tiles along both
// axes, saved 5 %, took 10 s and 500 MB more to compile; F(2, 3) along one saved 4 %.
// Of the XLA flags that the plugin knows one made steps faster, see package bench.
//
// Convolutions of the digits' size (8x8, up to 64 channels) as patches and one product took .65
// to .85 of the time with 128 images, as much with 32, and 3 s more to compile.
//
// # Scope
//
// All that [graph.Convolve] and [graph.ConvGeneral] build: any number of spatial
// axes, any layout, strides, padding, dilation of input and kernel, groups of
// channels or batch (as the library does it, a convolution a group), and under
// gradient checkpointing ([graph.Node.Checkpoint]).
//
// # Process-wide effect
//
// The library's table of gradients ([graph.VJPRegistration]) is one map for the
// process, read without a lock by whoever builds a graph. It is changed once, in
// this package's init: initialization ends before main begins, when no graph can
// be under construction, so programs may build graphs in any number of goroutines.
// A function to call would leave each caller to see that nobody builds a graph
// meanwhile, which is why there is none. There is no other state: a gradient is
// made from its node alone, and nothing is remembered that could keep a graph
// alive.
//
// # When to delete
//
// GoMLX v0.28.11 fixes its gradient (github.com/gomlx/gomlx/pull/459). With it this
// folder and its imports can go, but for what makes the CPU faster (cpu.go, shifts.go, tiles.go), without which package
// device sees no gradient of a kernel that it has code for; TestStillNeeded
// fails as soon as go.mod names a GoMLX that does without.
package convgrad
