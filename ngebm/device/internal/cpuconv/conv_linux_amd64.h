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
	// pad copies rows [from, to) of an image after LeakyReLU, x where x > 0 and slope*x elsewhere, with their padding. A
	// pixel begins so many numbers after the one before.
	void (*pad)(const conv_shape *c, const float *x, float slope, int pixel, int from, int to, float *rows, long row);
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
	void (*transform)(const conv_shape *c, const float *x, float slope, const float *zeros, int pixel, int first, float *rows);
	// four computes up to four rows of the result in a panel.
	void (*four)(const conv_shape *c, const float *rows, const float *packed, int count, const conv_ends *ends, float *y);

	// The gradient of a kernel is a sum over the pixels of what arrives at the result, y here: of x by y for each of the
	// kernel's input and output channels. x and y are read by lines: of ow pixels of the result.

	// gather adds the part of some lines to sums, for n numbers of x that meet a pixel of y, and a panel of output channels.
	// x has those for the first pixel of the first line, and for the next one a step further. y has a panel of
	// each pixel, one after the other.
	void (*gather)(const conv_shape *c, int n, const float *x, long x_line, long step, const float *y, int lines, float *sums);
	// spread transforms up to four rows of y into six lines of each panel, for Winograd's method.
	void (*spread)(const conv_shape *c, const float *y, int count, float *to, long line, long panel);
	// split copies a row of y into a line of each panel.
	void (*split)(const conv_shape *c, const float *y, float *to, long panel);
	// unite makes three rows of a kernel's panel of six sums, n numbers each, which are next numbers from each other.
	void (*unite)(const float *sums, long next, long n, float *kernel, long row, long oc);
} conv_code;

// conv_codes are those for 8 and 16 floats in a register, which the processor must have (AVX2 with FMA, AVX-512).
extern const conv_code conv_code8, conv_code16;

// conv_use sets how many floats the widest register of the processor has, once, before conv_code_of returns the
// code for that many output channels.
void conv_use(int lanes);
const conv_code *conv_code_of(int oc);

// conv_fits reports whether a code is for a shape, with Winograd's method or without.
int conv_fits(const conv_shape *c, const conv_code *code, int winograd);
