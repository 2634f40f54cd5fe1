// Convolutions of images in the layout batch, rows, columns, channels, by kernels in the layout rows,
// columns, input channels, output channels. All numbers are float32.
#pragma once

enum { MAX_POSITIONS = 9 }; // of a kernel

typedef struct {
	int n;          // images
	int h, w, ic;   // rows, columns and channels of the input
	int oh, ow, oc; // of the result
	int kh, kw;     // rows and columns of the kernel
	int sh, sw;     // strides
	int ph, pw;     // padding before the first row and column, which may be negative
} conv_shape;

// A conv_code is the code for one kind of vector registers. It works on panels of output channels, from
// channel o, of width channels. zeros is a row of the input's length without content.
typedef struct {
	int width;  // of a panel
	int pixels; // of the result, computed side by side

	// pack copies a panel of a kernel into the order in which pixels_of reads it.
	void (*pack)(const conv_shape *c, const float *kernel, int o, float *packed);
	// some computes pixels [from, to) of an image, in channels [o, end). packed is the panel of o, and further ones follow it.
	void (*some)(const conv_shape *c, const float *x, const float *zeros, const float *packed, int o, int end, int from, int to, float *y);

	// The same for 3x3 kernels without strides by Winograd's F(4, 3) along the rows: four rows of the result
	// from six of the input, in half as many multiplications (A. Lavin and S. Gray, arXiv 1509.09308,
	// section 4.2, which has it in both directions).

	// pack_rows transforms a panel into six rows of three columns.
	void (*pack_rows)(const conv_shape *c, const float *kernel, int o, float *packed);
	// transform transforms six rows of the input, from first, some of which may be outside. Each of the six has
	// ow+2 columns, padding included.
	void (*transform)(const conv_shape *c, const float *x, const float *zeros, int first, float *rows);
	// four computes up to four rows of the result in a panel.
	void (*four)(const conv_shape *c, const float *rows, const float *packed, int count, float *y);
} conv_code;

// conv_codes are those for 8 and 16 floats in a register, which the processor must have (AVX2 with FMA, AVX-512).
extern const conv_code conv_code8, conv_code16;
