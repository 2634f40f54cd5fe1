#include "ffi_linux_amd64.h"
#include "conv_linux_amd64.h"
#include "team_linux_amd64.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static int wide; // has the processor registers of 16 floats? Set once, before the function is known

enum { MAX_THREADS = 64 };

// A job is a convolution. Its first parts prepare rows of the input. Then each computes a range of the
// result in one panel of channels, after its thread has packed the panel's kernels.
typedef struct {
	team_work shared;
	conv_shape c;
	const conv_code *code;
	const float *x, *kernel, *bias, *also; // the latter two, or NULL, are added
	float slope;                           // of LeakyReLU of the input; 1 leaves it as it is
	float *y;
	int winograd;         // are 3x3 kernels computed by six rows?
	int stripes;          // of an image, prepared one by one
	const float *rows;    // of the images: in memory of their own, transformed or padded, or those of x
	long row, image;      // how many numbers a row has, or six transformed ones, and an image
	int ranges, pixels;   // of an image, and of a range, where kernels are not computed by rows
	int chunks, in_chunk; // all images' stripes or ranges are so many chunks of so many
	float *packed;        // a panel for each thread
	int has[MAX_THREADS]; // one more than the panel that a thread has packed
	float zeros[];        // a row of the input, for Winograd's method
} job;

enum { STRIPE = 8 }; // padded rows

static long panel_size(const conv_shape *c, int width, int winograd) {
	return (long)(winograd ? 18 : c->kh * c->kw) * c->ic * width;
}

// padded_rows and padded_columns are what a result is computed from.
static int padded_rows(const conv_shape *c) { return (c->oh - 1) * c->sh + c->kh; }
static int padded_columns(const conv_shape *c) { return (c->ow - 1) * c->sw + c->kw; }

static int is_padded(const conv_shape *c) {
	return c->ph || c->pw || padded_rows(c) > c->h || padded_columns(c) > c->w;
}

static void prepare(const job *j, int i) {
	const conv_shape *c = &j->c;
	int n = i / j->stripes, stripe = i % j->stripes;
	const float *x = j->x + (long)n * c->h * c->w * c->ic;
	float *rows = (float *)j->rows + n * j->image;
	if (j->winograd)
		j->code->transform(c, x, j->slope, j->zeros, stripe * 4 - c->ph, rows + stripe * j->row);
	else {
		int from = stripe * STRIPE, all = padded_rows(c);
		j->code->pad(c, x, j->slope, from, from + STRIPE < all ? from + STRIPE : all, rows, j->row);
	}
}

static void compute(job *j, int i, int who) {
	const conv_shape *c = &j->c;
	int p = i / j->chunks, from = i % j->chunks * j->in_chunk, o = p * j->code->width;
	float *packed = j->packed + who * panel_size(c, j->code->width, j->winograd);
	if (j->has[who] != p + 1) {
		(j->winograd ? j->code->pack_rows : j->code->pack)(c, j->kernel, o, packed);
		j->has[who] = p + 1;
	}
	for (int k = from, each = j->winograd ? j->stripes : j->ranges; k < from + j->in_chunk && k < c->n * each; k++) {
		int n = k / each, in = k % each;
		const float *rows = j->rows + n * j->image;
		long at = (long)n * c->oh * c->ow * c->oc + o;
		if (j->winograd)
			at += (long)in * 4 * c->ow * c->oc;
		conv_ends ends = {j->bias ? j->bias + o : NULL, j->also ? j->also + at : NULL};
		if (j->winograd)
			j->code->four(c, rows + in * j->row, packed, c->oh - in * 4 < 4 ? c->oh - in * 4 : 4, &ends, j->y + at);
		else
			j->code->some(c, rows, j->row, packed, in * j->pixels, in == each - 1 ? c->oh * c->ow : (in + 1) * j->pixels, &ends, j->y + at);
	}
}

static void part(team_work *w, int i, int who) {
	if (i < w->first)
		prepare((job *)w, i);
	else
		compute((job *)w, i - w->first, who);
}

// call calls one of XLA's functions and reports whether it worked.
static int call(const ffi_frame *frame, int function, void *args) {
	void *const *functions = frame->api->functions;
	struct {
		size_t size;
		void *extensions;
		void *error;
	} destroy = {sizeof destroy, NULL, ((void *(*)(void *))functions[function])(args)};
	if (destroy.error)
		((void (*)(void *))functions[ERROR_DESTROY])(&destroy);
	return !destroy.error;
}

// threads is how many threads XLA has for its work.
static int threads(const ffi_frame *frame) {
	int64_t n = 1;
	struct {
		size_t size;
		void *extensions;
		void *context;
		int64_t *n; // out
	} args = {sizeof args, NULL, frame->context, &n};
	return call(frame, NUM_THREADS, &args) && n > 1 ? n < MAX_THREADS ? n : MAX_THREADS : 1;
}

static void *fail(const ffi_frame *frame, const char *message) {
	struct {
		size_t size;
		void *extensions;
		const char *message;
		int code;
	} args = {sizeof args, NULL, message, 13}; // internal
	return ((void *(*)(void *))frame->api->functions[ERROR_CREATE])(&args);
}

// buffer returns a buffer of float32 with that rank, or NULL.
static const ffi_buffer *buffer(const ffi_buffers *of, int i, int rank) {
	if (i >= of->count || of->types[i] != 1 || of->values[i]->type != FLOAT32 || of->values[i]->rank != rank)
		return NULL;
	return of->values[i];
}

// as_many reports whether a buffer has so many numbers.
static int as_many(const ffi_buffer *b, long n) {
	long product = 1;
	for (int64_t i = 0; i < b->rank; i++)
		product *= b->dims[i];
	return product == n;
}

// convolve is the function that XLA calls. Its arguments are input and kernel, then a bias for the channels and numbers to
// add to the result if there are; its results are output and scratch memory. Its attribute has both strides, both
// paddings, whether 3x3 kernels are computed by six rows, whether there are a bias and numbers to add, and the bits of
// the slope of LeakyReLU.
static void *convolve(const ffi_frame *frame) {
	for (const ffi_extension *e = frame->extensions; e; e = e->next)
		if (e->type == 1) { // XLA asks what the function is written for
			ffi_metadata *m = e->content[0];
			m->version.major = frame->api->version.major;
			m->version.minor = frame->api->version.minor;
			m->traits = 0;
			if (frame->api->version.major != 0 || frame->api->size < offsetof(ffi_api, functions) + FUNCTIONS * sizeof(void *))
				return fail(frame, "this version of XLA's interface is unknown");
			return NULL;
		}
	const ffi_buffer *x = buffer(&frame->arguments, 0, 4), *kernel = buffer(&frame->arguments, 1, 4);
	const ffi_buffer *y = buffer(&frame->results, 0, 4), *scratch = buffer(&frame->results, 1, 1);
	const ffi_attributes *as = &frame->attributes;
	if (!x || !kernel || !y || !scratch || as->count != 1 || as->types[0] != 1 || as->values[0]->type != INT64 || as->values[0]->count != 8)
		return fail(frame, "a convolution of few images has other arguments than expected");
	const int64_t *a = as->values[0]->values;
	conv_shape c = {x->dims[0], x->dims[1], x->dims[2], x->dims[3], y->dims[1], y->dims[2], y->dims[3],
		kernel->dims[0], kernel->dims[1], a[0], a[1], a[2], a[3]};

	const conv_code *code = wide && c.oc % conv_code16.width == 0 ? &conv_code16 : &conv_code8;
	const ffi_buffer *bias = a[5] ? buffer(&frame->arguments, 2, 1) : NULL;
	const ffi_buffer *also = a[6] ? buffer(&frame->arguments, a[5] ? 3 : 2, 4) : NULL;
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
	int wrong = (a[5] && (!bias || !as_many(bias, c.oc))) || (a[6] && (!also || !as_many(also, (long)c.n * c.oh * c.ow * c.oc)));
	long left = scratch->dims[0] - (stripes ? c.n * image : 0), n = threads(frame);
	if (c.kh * c.kw > MAX_POSITIONS || c.oc % code->width || kernel->dims[2] != c.ic || kernel->dims[3] != c.oc || y->dims[0] != c.n ||
		wrong || left < panel || (winograd && (c.kh != 3 || c.kw != 3 || c.sh != 1 || c.sw != 1 || c.pw < 0 || c.ow + 2 < c.pw + c.w)))
		return fail(frame, "a convolution of few images has other shapes than expected");

	job *j = calloc(1, sizeof *j + (winograd ? (long)c.w * c.ic : 0) * sizeof *j->zeros);
	if (!j)
		return fail(frame, "there is no memory for a convolution");
	j->shared.part = part;
	j->c = c;
	j->code = code;
	j->x = x->data;
	j->kernel = kernel->data;
	j->bias = bias ? bias->data : NULL;
	j->also = also ? also->data : NULL;
	j->slope = slope;
	j->y = y->data;
	j->winograd = winograd;
	j->stripes = stripes;
	j->row = row;
	j->image = image;
	j->packed = scratch->data;
	j->shared.first = c.n * stripes;

	long little = (long)c.n * c.oh * c.ow * c.kh * c.kw * c.ic * c.oc >> 17; // less for a thread would be done before it begins
	n = n < little ? n : little;
	n = n < left / panel ? n : left / panel;
	n = n < 1 ? 1 : n;
	j->rows = stripes ? scratch->data + n * panel : j->x;
	j->pixels = 4 * code->pixels;
	j->ranges = (c.oh * c.ow + j->pixels - 1) / j->pixels;
	int all = c.n * (winograd ? stripes : j->ranges), chunks = n == 1 ? 1 : (6 * n + panels - 1) / panels;
	j->in_chunk = chunks < all ? (all + chunks - 1) / chunks : 1;
	j->chunks = (all + j->in_chunk - 1) / j->in_chunk;
	j->shared.parts = j->shared.first + panels * j->chunks;
	team_do(&j->shared, n - 1);
	return NULL;
}

const char *fewimages_register(const char *path, const char *name, int lanes) {
	static const void *known; // the plugin that knows the function: it has one path or several
	void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
	const struct {
		size_t size;
		const ffi_extension *extensions;
	} *(*get)(void) = library ? dlsym(library, "GetPjrtApi") : NULL;
	if (!get || !get())
		return "the plugin is not loaded";
	if (known == get())
		return NULL;
	const ffi_extension *e = get()->extensions;
	while (e && e->type != 5)
		e = e->next;
	if (!e || e->size < offsetof(ffi_extension, content) + 3 * sizeof(void *))
		return "the plugin takes no functions of others";
	wide = lanes >= 16;
	struct {
		size_t size;
		const char *name;
		size_t name_size;
		void *function;
		const char *platform;
		size_t platform_size;
		uint32_t traits;
	} args = {sizeof args, name, strlen(name), convolve, "Host", 4, 0};
	if (((void *(*)(void *))e->content[2])(&args))
		return "the plugin refuses the function"; // its error leaks
	known = get();
	return NULL;
}
