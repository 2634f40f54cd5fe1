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

// padded_rows and padded_columns are what a result is computed from.
static inline int padded_rows(const conv_shape *c) { return (c->oh - 1) * c->sh + c->kh; }
static inline int padded_columns(const conv_shape *c) { return (c->ow - 1) * c->sw + c->kw; }

static inline int is_padded(const conv_shape *c) {
	return c->ph || c->pw || padded_rows(c) > c->h || padded_columns(c) > c->w;
}

// A conv_epilogue is what is added to the sums of a panel.
typedef struct {
	const float *bias;     // one for each channel, or NULL
	const float *residual; // as long as the result, or NULL
} conv_epilogue;

// microkernels are the innermost loops, for one kind of vector registers. They work on panels of some output channels, whose
// kernels are packed, and on rows of the input with their padding.
typedef struct {
	int width;  // of a panel
	int pixels; // of the result, computed side by side

	// pack copies the panel from channel o on into the order in which direct reads it.
	void (*pack)(const conv_shape *c, const float *kernel, int o, float *packed);
	// pad copies rows [from, to) of an image after LeakyReLU, x where x > 0 and slope*x elsewhere, with their padding. A
	// pixel begins so many numbers after the one before.
	void (*pad)(const conv_shape *c, const float *x, float slope, int pixel, int from, int to, float *rows, long row);
	// direct computes pixels [from, to) of an image. rows, each row numbers long, begin with those that the first row of
	// the result needs.
	void (*direct)(const conv_shape *c, const float *rows, long row, const float *packed, int from, int to, const conv_epilogue *epilogue, float *y);

	// The same for 3x3 kernels without strides by Winograd's F(4, 3) along the rows: four rows of the result
	// from six of the input, in half as many multiplications (A. Lavin and S. Gray, arXiv 1509.09308,
	// section 4.2, which has it in both directions).

	// pack_winograd transforms a panel into six rows of three columns.
	void (*pack_winograd)(const conv_shape *c, const float *kernel, int o, float *packed);
	// transform_input transforms six rows of the input after LeakyReLU, from first, some of which may be outside: zeros is
	// a row without content. Each of the six has ow+2 columns, padding included.
	void (*transform_input)(const conv_shape *c, const float *x, float slope, const float *zeros, int pixel, int first, float *rows);
	// winograd computes up to four rows of the result in a panel.
	void (*winograd)(const conv_shape *c, const float *rows, const float *packed, int count, const conv_epilogue *epilogue, float *y);

	// The gradient of a kernel is a sum over the pixels of what arrives at the result, y here: of x by y for each of the
	// kernel's input and output channels. x and y are read by lines: of ow pixels of the result.

	// accumulate adds the part of some lines to sums, for n numbers of x that meet a pixel of y, and a panel of output channels.
	// x has those for the first pixel of the first line, and for the next one a step further. y has a panel of
	// each pixel, one after the other.
	void (*accumulate)(const conv_shape *c, int n, const float *x, long x_line, long step, const float *y, int lines, float *sums);
	// transform_gradient transforms up to four rows of y into six lines of each panel, for Winograd's method.
	void (*transform_gradient)(const conv_shape *c, const float *y, int count, float *to, long line, long panel);
	// pack_gradient copies a row of y into a line of each panel.
	void (*pack_gradient)(const conv_shape *c, const float *y, float *to, long panel);
	// untransform_kernel makes three rows of a kernel's panel of six sums, n numbers each, which are next numbers from each other.
	void (*untransform_kernel)(const float *sums, long next, long n, float *kernel, long row, long oc);
} microkernels;

// microkernels8 and microkernels16 are for registers of 8 and 16 floats, which the processor must have (AVX2 with FMA, AVX-512).
extern const microkernels microkernels8, microkernels16;

// microkernels_use sets how many floats the widest register of the processor has, once, before microkernels_for returns those
// for that many output channels.
void microkernels_use(int lanes);
const microkernels *microkernels_for(int oc);

// microkernels_fit reports whether they are for a shape, with Winograd's method or without.
int microkernels_fit(const conv_shape *c, const microkernels *code, int winograd);
