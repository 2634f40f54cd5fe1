#include "microkernels_linux_amd64.h"
#include "ffi_linux_amd64.h"
#include "team_linux_amd64.h"
#include <stdlib.h>
#include <string.h>

// A job is a convolution. It goes through groups of images, whose prepared rows fit into a cache. Of each, some parts
// first prepare rows of the input. Then others compute a range of the result in one panel of channels, after their thread has
// packed the panel's kernels.
typedef struct {
	team_work shared;
	conv_shape c;
	const microkernels *code;
	const float *x, *kernel, *bias, *residual; // the latter two, or NULL, are added
	float slope;                           // of LeakyReLU of the input; 1 leaves it as it is
	float *y;
	int winograd;         // are 3x3 kernels computed by six rows?
	int group, groups;    // images of a group
	int stripes;          // of an image, prepared one by one; 0 if the rows are those of x
	float *rows;          // of a group's images, transformed or padded
	long row, image;      // how many numbers a row has, or six transformed ones, and an image
	int ranges, pixels;   // of an image, and of a range; with Winograd's method of four rows
	int chunks, in_chunk; // a group's ranges are so many chunks of so many
	int prepare, compute; // parts
	float *packed;        // a panel for each thread
	int has[TEAM];        // one more than the panel that a thread has packed
	float zeros[];        // a row of the input, for Winograd's method
} job;

enum { STRIPE = 8 }; // padded rows

static long panel_size(const conv_shape *c, int width, int winograd) {
	return (long)(winograd ? 18 : c->kh * c->kw) * c->ic * width;
}

static void prepare(const job *j, int group, int i) {
	const conv_shape *c = &j->c;
	int in = i / j->stripes, stripe = i % j->stripes, n = group * j->group + in;
	if (n >= c->n)
		return;
	const float *x = j->x + (long)n * c->h * c->w * c->ic;
	float *rows = j->rows + in * j->image;
	if (j->winograd)
		j->code->transform_input(c, x, j->slope, j->zeros, c->ic, stripe * 4 - c->ph, rows + stripe * j->row);
	else {
		int from = stripe * STRIPE, all = padded_rows(c);
		j->code->pad(c, x, j->slope, c->ic, from, from + STRIPE < all ? from + STRIPE : all, rows, j->row);
	}
}

static void compute(job *j, int group, int i, int thread) {
	const conv_shape *c = &j->c;
	int p = i / j->chunks, from = i % j->chunks * j->in_chunk, o = p * j->code->width;
	int left = c->n - group * j->group, all = (left < j->group ? left : j->group) * j->ranges;
	float *packed = j->packed + thread * panel_size(c, j->code->width, j->winograd);
	if (j->has[thread] != p + 1) {
		(j->winograd ? j->code->pack_winograd : j->code->pack)(c, j->kernel, o, packed);
		j->has[thread] = p + 1;
	}
	for (int k = from; k < from + j->in_chunk && k < all; k++) {
		int in = k / j->ranges, range = k % j->ranges;
		long n = (long)group * j->group + in, at = n * c->oh * c->ow * c->oc + o;
		const float *rows = j->stripes ? j->rows + in * j->image : j->x + n * j->image;
		if (j->winograd)
			at += (long)range * 4 * c->ow * c->oc;
		conv_epilogue epilogue = {j->bias ? j->bias + o : NULL, j->residual ? j->residual + at : NULL};
		if (j->winograd)
			j->code->winograd(c, rows + range * j->row, packed, c->oh - range * 4 < 4 ? c->oh - range * 4 : 4, &epilogue, j->y + at);
		else
			j->code->direct(c, rows, j->row, packed, range * j->pixels, range == j->ranges - 1 ? c->oh * c->ow : (range + 1) * j->pixels, &epilogue, j->y + at);
	}
}

static void part(team_work *w, int i, int thread) {
	job *j = (job *)w;
	int group = i / (j->prepare + j->compute), in = i % (j->prepare + j->compute);
	if (in < j->prepare)
		prepare(j, group, in);
	else
		compute(j, group, in - j->prepare, thread);
}

static int before(const team_work *w, int i) {
	const job *j = (const job *)w;
	int in = i % (j->prepare + j->compute);
	return i - in + (in < j->prepare ? 0 : j->prepare);
}

// Its arguments are input and kernel, then a bias for the channels and numbers to
// add to the result if there are; its results are output and scratch memory. Its attribute has both strides, both
// paddings, whether 3x3 kernels are computed by six rows, whether there are a bias and numbers to add, the bits of the
// slope of LeakyReLU, and how many images are prepared at a time.
void *convolution(const ffi_frame *frame) {
	void *answer;
	if (ffi_asked(frame, &answer))
		return answer;
	const ffi_buffer *x = ffi_buffer_of(&frame->arguments, 0, 4), *kernel = ffi_buffer_of(&frame->arguments, 1, 4);
	const ffi_buffer *y = ffi_buffer_of(&frame->results, 0, 4), *scratch = ffi_buffer_of(&frame->results, 1, 1);
	const int64_t *a = ffi_integers(frame, 9);
	if (!x || !kernel || !y || !scratch || !a)
		return ffi_fail(frame, "a convolution has other arguments than expected");
	conv_shape c = {x->dims[0], x->dims[1], x->dims[2], x->dims[3], y->dims[1], y->dims[2], y->dims[3],
		kernel->dims[0], kernel->dims[1], a[0], a[1], a[2], a[3]};

	const microkernels *code = microkernels_for(c.oc);
	const ffi_buffer *bias = a[5] ? ffi_buffer_of(&frame->arguments, 2, 1) : NULL;
	const ffi_buffer *residual = a[6] ? ffi_buffer_of(&frame->arguments, a[5] ? 3 : 2, 4) : NULL;
	float slope;
	memcpy(&slope, &a[7], sizeof slope);
	int winograd = a[4], stripes = 0, panels = c.oc / code->width;
	long row = (long)c.w * c.ic, image = row * c.h, panel = panel_size(&c, code->width, winograd);
	if (winograd) {
		stripes = (c.oh + 3) / 4;
		row = 6L * (c.ow + 2) * c.ic;
		image = stripes * row;
	} else if (is_padded(&c) || slope != 1) {
		stripes = (padded_rows(&c) + STRIPE - 1) / STRIPE;
		row = (long)padded_columns(&c) * c.ic;
		image = padded_rows(&c) * row;
	}
	int wrong = (a[5] && (!bias || !ffi_as_many(bias, c.oc))) || (a[6] && (!residual || !ffi_as_many(residual, (long)c.n * c.oh * c.ow * c.oc)));
	if (wrong || a[8] < 1 || !microkernels_fit(&c, code, winograd) || kernel->dims[2] != c.ic || kernel->dims[3] != c.oc || y->dims[0] != c.n)
		return ffi_fail(frame, "a convolution has other shapes than expected");
	int group = stripes && a[8] < c.n ? a[8] : c.n;
	long left = scratch->dims[0] - (stripes ? group * image : 0), n = ffi_threads(frame);
	if (left < panel)
		return ffi_fail(frame, "a convolution has less memory than expected");

	job *j = calloc(1, sizeof *j + (winograd ? (long)c.w * c.ic : 0) * sizeof *j->zeros);
	if (!j)
		return ffi_fail(frame, "there is no memory for a convolution");
	j->shared.part = part;
	j->shared.before = before;
	j->c = c;
	j->code = code;
	j->x = x->data;
	j->kernel = kernel->data;
	j->bias = bias ? bias->data : NULL;
	j->residual = residual ? residual->data : NULL;
	j->slope = slope;
	j->y = y->data;
	j->winograd = winograd;
	j->group = group;
	j->groups = (c.n + group - 1) / group;
	j->stripes = stripes;
	j->row = row;
	j->image = image;
	j->packed = scratch->data;

	long little = (long)c.n * c.oh * c.ow * c.kh * c.kw * c.ic * c.oc >> 17; // less for a thread would be done before it begins
	n = n < little ? n : little;
	n = n < left / panel ? n : left / panel;
	n = n < 1 ? 1 : n;
	j->rows = scratch->data + n * panel;
	j->pixels = 4 * code->pixels;
	j->ranges = winograd ? stripes : (c.oh * c.ow + j->pixels - 1) / j->pixels;
	int all = group * j->ranges, chunks = n == 1 ? 1 : (6 * n + panels - 1) / panels;
	j->in_chunk = chunks < all ? (all + chunks - 1) / chunks : 1;
	j->chunks = (all + j->in_chunk - 1) / j->in_chunk;
	j->prepare = group * stripes;
	j->compute = panels * j->chunks;
	j->shared.parts = j->groups * (j->prepare + j->compute);
	team_do(&j->shared, n - 1);
	return NULL;
}
