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

// conv_ends are what is added to the sums of a panel.
typedef struct {
	const float *bias; // one for each channel, or NULL
	const float *also; // as long as the result, or NULL
} conv_ends;

// A conv_code is the code for one kind of vector registers. It works on panels of some output channels, whose kernels are
// packed, and on rows of the input with their padding.
typedef struct {
	int width;  // of a panel
	int pixels; // of the result, computed side by side

	// pack copies the panel from channel o on into the order in which some reads it.
	void (*pack)(const conv_shape *c, const float *kernel, int o, float *packed);
	// pad copies rows [from, to) of an image after LeakyReLU, x where x > 0 and slope*x elsewhere, with their padding.
	void (*pad)(const conv_shape *c, const float *x, float slope, int from, int to, float *rows, long row);
	// some computes pixels [from, to) of an image. rows, each row numbers long, begin with those that the first row of
	// the result needs.
	void (*some)(const conv_shape *c, const float *rows, long row, const float *packed, int from, int to, const conv_ends *ends, float *y);

	// The same for 3x3 kernels without strides by Winograd's F(4, 3) along the rows: four rows of the result
	// from six of the input, in half as many multiplications (A. Lavin and S. Gray, arXiv 1509.09308,
	// section 4.2, which has it in both directions).

	// pack_rows transforms a panel into six rows of three columns.
	void (*pack_rows)(const conv_shape *c, const float *kernel, int o, float *packed);
	// transform transforms six rows of the input after LeakyReLU, from first, some of which may be outside: zeros is
	// a row without content. Each of the six has ow+2 columns, padding included.
	void (*transform)(const conv_shape *c, const float *x, float slope, const float *zeros, int first, float *rows);
	// four computes up to four rows of the result in a panel.
	void (*four)(const conv_shape *c, const float *rows, const float *packed, int count, const conv_ends *ends, float *y);
} conv_code;

// conv_codes are those for 8 and 16 floats in a register, which the processor must have (AVX2 with FMA, AVX-512).
extern const conv_code conv_code8, conv_code16;
