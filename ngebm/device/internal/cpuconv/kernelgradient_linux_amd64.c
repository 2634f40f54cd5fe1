#include "microkernels_linux_amd64.h"
#include "ffi_linux_amd64.h"
#include "team_linux_amd64.h"
#include <stdlib.h>
#include <string.h>

// A job is the gradient of a kernel. It goes through groups of images. Of each, some parts first prepare rows of x and
// y, and others then multiply them: a chunk of the group's lines, for one of the kernel's rows (one of six with
// Winograd's method) and one panel of output channels. The last parts add up the chunks. What is added
// in which order depends on the shape only.
typedef struct {
	team_work shared;
	conv_shape c;
	const microkernels *code;
	const float *x, *y;
	float slope; // of LeakyReLU of x; 1 leaves it as it is
	float *kernel;
	int winograd;
	int group, groups;        // images of a group
	int stripes, each, lines; // of an image: of so many rows of y, which are so many lines together
	int rows;                 // of x for a line: of the kernel, or six
	int chunks, panels;
	int prepare, multiply, finish; // parts
	int pixel;                     // numbers from a prepared pixel of x to the next,
	long row;                      // in a row of them,
	long line;                     // from the first row of a line to that of the next,
	long image;                    // and of an image
	long side;                     // numbers of x that meet a pixel of y in a row,
	int runs;                      // in so many runs, a pixel from each other
	long y_line;                   // numbers in a line of a panel
	float *prepared, *spread, *sums;
	float zeros[];
} job;

static int images(const job *j, int group) {
	int left = j->c.n - group * j->group;
	return left < j->group ? left : j->group;
}

// y_row is the prepared y of a group, for a row of six.
static float *y_row(const job *j, int panel, int row) {
	return j->spread + (panel * (j->winograd ? 6L : 1L) + row) * j->group * j->lines * j->y_line;
}

static void prepare(const job *j, int group, int i) {
	const conv_shape *c = &j->c;
	int in = i / j->stripes, stripe = i % j->stripes, first = stripe * j->each;
	if (in >= images(j, group))
		return;
	long n = (long)group * j->group + in;
	const float *x = j->x + n * c->h * c->w * c->ic, *y = j->y + n * c->oh * c->ow * c->oc;
	float *to = j->prepared + in * j->image;
	long panel = y_row(j, 1, 0) - j->spread;
	if (j->winograd) {
		j->code->transform_input(c, x, j->slope, j->zeros, j->pixel, first - c->ph, to + stripe * j->line);
		j->code->transform_gradient(c, y + (long)first * c->ow * c->oc, c->oh - first < 4 ? c->oh - first : 4,
			y_row(j, 0, 0) + ((long)in * j->lines + stripe) * j->y_line, y_row(j, 0, 1) - j->spread, panel);
		return;
	}
	int all = padded_rows(c);
	j->code->pad(c, x, j->slope, j->pixel, first, first + j->each < all ? first + j->each : all, to, j->row);
	for (int k = first; k < first + j->each && k < c->oh; k++)
		j->code->pack_gradient(c, y + (long)k * c->ow * c->oc, y_row(j, 0, 0) + ((long)in * j->lines + k) * j->y_line, panel);
}

static float *sums(const job *j, int chunk, int row, int panel) {
	return j->sums + (((long)chunk * j->rows + row) * j->panels + panel) * j->side * j->code->width;
}

static void multiply(const job *j, int group, int i) {
	int chunk = i % j->chunks, row = i / j->chunks % j->rows, panel = i / j->chunks / j->rows;
	float *to = sums(j, chunk, row, panel);
	if (group == 0)
		memset(to, 0, j->side * j->code->width * sizeof *to);
	long all = (long)images(j, group) * j->lines, from = all * chunk / j->chunks, end = all * (chunk + 1) / j->chunks;
	int block = 128 / j->c.ow;
	if (block < 1)
		block = 1;
	const float *y = y_row(j, panel, j->winograd ? row : 0);
	for (long l = from, n; l < end; l += n) {
		long in = l / j->lines, left = (in + 1) * j->lines - l; // lines of an image have the same distance
		n = end - l < block ? end - l : block;
		if (j->image != j->line * j->lines && left < n)
			n = left;
		const float *x = j->prepared + in * j->image + l % j->lines * j->line + row * j->row;
		for (int run = 0, length = j->side / j->runs; run < j->runs; run++)
			j->code->accumulate(&j->c, length, x + run * j->pixel, j->line, (long)j->c.sw * j->pixel, y + l * j->y_line, n, to + run * length * j->code->width);
	}
}

enum { FINISHED = 48 }; // numbers of a kernel's row, of each output channel

static void finish(const job *j, int i) {
	int panel = i % j->panels, width = j->code->width;
	long first = i / j->panels * FINISHED, n = j->side - first < FINISHED ? j->side - first : FINISHED, oc = j->c.oc, kernel_row = j->side * oc;
	float *kernel = j->kernel + first * oc + (long)panel * width;
	for (int row = 0; row < j->rows; row++)
		for (int chunk = 1; chunk < j->chunks; chunk++) {
			float *to = sums(j, 0, row, panel) + first * width;
			const float *from = sums(j, chunk, row, panel) + first * width;
			for (long k = 0; k < n * width; k++)
				to[k] += from[k];
		}
	const float *from = sums(j, 0, 0, panel) + first * width;
	if (j->winograd)
		j->code->untransform_kernel(from, sums(j, 0, 1, 0) - j->sums, n, kernel, kernel_row, oc);
	for (int row = 0; row < j->rows && !j->winograd; row++)
		for (long k = 0; k < n; k++)
			memcpy(kernel + row * kernel_row + k * oc, sums(j, 0, row, panel) + (first + k) * width, width * sizeof *kernel);
}

static void part(team_work *w, int i, int thread) {
	(void)thread;
	job *j = (job *)w;
	int each = j->prepare + j->multiply, group = i / each, in = i % each;
	if (group >= j->groups)
		finish(j, i - j->groups * each);
	else if (in < j->prepare)
		prepare(j, group, in);
	else
		multiply(j, group, in - j->prepare);
}

static int before(const team_work *w, int i) {
	const job *j = (const job *)w;
	int each = j->prepare + j->multiply, all = j->groups * each;
	if (i >= all)
		return all;
	return i - i % each + (i % each < j->prepare ? 0 : j->prepare);
}

// Its arguments are the convolution's input and what arrives at its result; its results are the kernel's gradient and
// scratch memory. Its attribute has both strides, both paddings, whether 3x3 kernels are computed by six rows, the bits
// of the slope of LeakyReLU of the input, how many images are prepared at a time, and by how many chunks.
void *kernel_gradient(const ffi_frame *frame) {
	void *answer;
	if (ffi_asked(frame, &answer))
		return answer;
	const ffi_buffer *x = ffi_buffer_of(&frame->arguments, 0, 4), *y = ffi_buffer_of(&frame->arguments, 1, 4);
	const ffi_buffer *kernel = ffi_buffer_of(&frame->results, 0, 4), *scratch = ffi_buffer_of(&frame->results, 1, 1);
	const int64_t *a = ffi_integers(frame, 8);
	if (!x || !y || !kernel || !scratch || !a)
		return ffi_fail(frame, "the gradient of a kernel has other arguments than expected");
	conv_shape c = {x->dims[0], x->dims[1], x->dims[2], x->dims[3], y->dims[1], y->dims[2], y->dims[3],
		kernel->dims[0], kernel->dims[1], a[0], a[1], a[2], a[3]};
	const microkernels *code = microkernels_for(c.oc);
	int winograd = a[4] != 0;
	if (!microkernels_fit(&c, code, winograd) || kernel->dims[2] != c.ic || kernel->dims[3] != c.oc || y->dims[0] != c.n || a[6] < 1 || a[7] < 1)
		return ffi_fail(frame, "the gradient of a kernel has other shapes than expected");
	job *j = calloc(1, sizeof *j + (winograd ? (long)c.w * c.ic : 0) * sizeof *j->zeros);
	if (!j)
		return ffi_fail(frame, "there is no memory for the gradient of a kernel");
	j->shared.part = part;
	j->shared.before = before;
	j->c = c;
	j->code = code;
	j->x = x->data;
	j->y = y->data;
	memcpy(&j->slope, &a[5], sizeof j->slope);
	j->kernel = kernel->data;
	j->winograd = winograd;
	j->group = a[6] < c.n ? a[6] : c.n;
	j->groups = (c.n + j->group - 1) / j->group;
	j->chunks = a[7];
	j->panels = c.oc / code->width;
	j->side = (long)c.kw * c.ic;
	j->pixel = c.ic % 32 ? c.ic : c.ic + 16; // an even number of cache lines would use half of the first cache, or less
	j->runs = j->pixel == c.ic ? 1 : c.kw;
	j->y_line = (long)c.ow * code->width;
	if (winograd) {
		j->each = 4;
		j->stripes = j->lines = (c.oh + 3) / 4;
		j->rows = 6;
		j->row = (long)(c.ow + 2) * j->pixel;
		j->line = 6 * j->row;
		j->image = j->lines * j->line;
	} else {
		j->each = 8;
		j->stripes = (padded_rows(&c) + 7) / 8;
		j->lines = c.oh;
		j->rows = c.kh;
		j->row = (long)padded_columns(&c) * j->pixel;
		j->line = c.sh * j->row;
		j->image = padded_rows(&c) * j->row;
	}
	j->prepare = j->group * j->stripes;
	j->multiply = j->chunks * j->rows * j->panels;
	j->finish = (j->side + FINISHED - 1) / FINISHED * j->panels;
	j->shared.parts = j->groups * (j->prepare + j->multiply) + j->finish;
	j->prepared = scratch->data;
	j->spread = j->prepared + j->group * j->image;
	j->sums = y_row(j, j->panels, 0);
	if (scratch->dims[0] < sums(j, j->chunks, 0, 0) - j->prepared) {
		free(j);
		return ffi_fail(frame, "the gradient of a kernel has less memory than expected");
	}
	long n = ffi_threads(frame), little = (long)c.n * c.oh * c.ow * c.kh * c.kw * c.ic * c.oc >> 17;
	n = n < little ? n : little;
	team_do(&j->shared, n < 1 ? 0 : n - 1);
	return NULL;
}
