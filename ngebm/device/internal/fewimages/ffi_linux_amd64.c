#include "ffi_linux_amd64.h"
#include "conv_linux_amd64.h"
#include <dlfcn.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static int wide; // has the processor registers of 16 floats? Set once, before the function is known

// A job is shared by the threads that work on its parts, which they take in their order: first those that
// prepare, then those that compute. Its call waits until all parts are done, not for threads that have not begun:
// these find no part left. The last one frees it.
typedef struct {
	atomic_int next, done, users;
	conv_shape c;
	const conv_code *code;
	const float *x, *kernel;
	float *y, *scratch;
	int rows;               // are 3x3 kernels computed by six rows?
	int tiles;              // of four rows an image has
	int ranges, pixels;     // an image's pixels are computed in so many ranges of so many
	int panels, groups;     // all panels of a range are one part, or each is one
	int preparing, parts;   // how many prepare, and how many parts there are
	float zeros[];
} job;

static long panel_size(const job *j) { return (long)(j->rows ? 18 : j->c.kh * j->c.kw) * j->c.ic * j->code->width; }

static float *panel(const job *j, int i) { return j->scratch + i * panel_size(j); }

static float *six_rows(const job *j, int tile) {
	return panel(j, j->panels) + (long)tile * 6 * (j->c.ow + 2) * j->c.ic;
}

static const float *image(const job *j, int i) { return j->x + (long)i * j->c.h * j->c.w * j->c.ic; }

static float *result(const job *j, int image, int row) { return j->y + ((long)image * j->c.oh + row) * j->c.ow * j->c.oc; }

static void prepare(const job *j, int i) {
	if (i < j->panels)
		(j->rows ? j->code->pack_rows : j->code->pack)(&j->c, j->kernel, i * j->code->width, panel(j, i));
	else {
		int tile = i - j->panels;
		j->code->transform(&j->c, image(j, tile / j->tiles), j->zeros, tile % j->tiles * 4 - j->c.ph, six_rows(j, tile));
	}
}

static void compute(const job *j, int i) {
	const conv_shape *c = &j->c;
	if (j->rows) {
		int tile = i / j->panels, p = i % j->panels, first = tile % j->tiles * 4;
		j->code->four(c, six_rows(j, tile), panel(j, p), c->oh - first < 4 ? c->oh - first : 4,
			result(j, tile / j->tiles, first) + p * j->code->width);
		return;
	}
	int each = c->n * j->ranges, group = i / each, n = i % each / j->ranges, from = i % j->ranges * j->pixels;
	int to = c->oh * c->ow - from < j->pixels ? c->oh * c->ow : from + j->pixels;
	int channels = c->oc / j->groups, o = group * channels;
	j->code->some(c, image(j, n), j->zeros, panel(j, o / j->code->width), o, o + channels, from, to, result(j, n, 0));
}

// wait waits until so many parts are done, which other threads work on.
static void wait(job *j, int parts) {
	for (int i = 0; atomic_load(&j->done) < parts; i++)
		if (i < 2000)
			__builtin_ia32_pause();
		else
			sched_yield();
}

static void work(job *j) {
	for (int i; (i = atomic_fetch_add(&j->next, 1)) < j->parts; atomic_fetch_add(&j->done, 1))
		if (i < j->preparing)
			prepare(j, i);
		else {
			wait(j, j->preparing);
			compute(j, i - j->preparing);
		}
}

static void leave(job *j) {
	if (atomic_fetch_sub(&j->users, 1) == 1)
		free(j);
}

static void help(void *data) {
	work(data);
	leave(data);
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
	return call(frame, NUM_THREADS, &args) && n > 1 ? n < 256 ? n : 256 : 1;
}

// together does a job on this thread and others.
static void together(const ffi_frame *frame, job *j, int helpers) {
	struct {
		size_t size;
		void *extensions;
		void *context;
		void (*task)(void *);
		void *data;
	} args = {sizeof args, NULL, frame->context, help, j};
	for (int i = 0; i < helpers && i < j->parts - 1; i++) {
		atomic_fetch_add(&j->users, 1);
		if (!call(frame, SCHEDULE, &args)) {
			atomic_fetch_sub(&j->users, 1);
			break;
		}
	}
	work(j);
	wait(j, j->parts);
	leave(j);
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

// convolve is the function that XLA calls. Its arguments are input and kernel, its results output and scratch
// memory; its attribute has both strides, both paddings, and whether 3x3 kernels are computed by six rows.
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
	if (!x || !kernel || !y || !scratch || as->count != 1 || as->types[0] != 1 || as->values[0]->type != INT64 || as->values[0]->count != 5)
		return fail(frame, "a convolution of few images has other arguments than expected");
	const int64_t *a = as->values[0]->values;
	conv_shape c = {x->dims[0], x->dims[1], x->dims[2], x->dims[3], y->dims[1], y->dims[2], y->dims[3],
		kernel->dims[0], kernel->dims[1], a[0], a[1], a[2], a[3]};

	const conv_code *code = wide && c.oc % conv_code16.width == 0 ? &conv_code16 : &conv_code8;
	long needed = (long)(a[4] ? 18 : c.kh * c.kw) * c.ic * c.oc + (a[4] ? (long)c.n * ((c.oh + 3) / 4) * 6 * (c.ow + 2) * c.ic : 0);
	if (c.kh * c.kw > MAX_POSITIONS || c.oc % code->width || kernel->dims[2] != c.ic || kernel->dims[3] != c.oc || y->dims[0] != c.n ||
		scratch->dims[0] < needed || (a[4] && (c.kh != 3 || c.kw != 3 || c.sh != 1 || c.sw != 1 || c.pw < 0 || c.ow + 2 < c.pw + c.w)))
		return fail(frame, "a convolution of few images has other shapes than expected");

	job *j = calloc(1, sizeof *j + (long)c.w * c.ic * sizeof *j->zeros);
	if (!j)
		return fail(frame, "there is no memory for a convolution");
	atomic_store(&j->users, 1);
	j->c = c;
	j->code = code;
	j->x = x->data;
	j->kernel = kernel->data;
	j->y = y->data;
	j->scratch = scratch->data;
	j->rows = a[4];
	j->panels = c.oc / j->code->width;
	j->preparing = j->panels;
	int all = c.oh * c.ow, n = threads(frame);
	if ((long)c.n * all * c.kh * c.kw * c.ic * c.oc < 1 << 17)
		n = 1; // done sooner than another thread begins
	if (j->rows) {
		j->tiles = (c.oh + 3) / 4;
		j->preparing += c.n * j->tiles;
		j->parts = j->preparing + c.n * j->tiles * j->panels;
	} else {
		int most = all / (4 * j->code->pixels); // ranges of less would not pay
		j->ranges = most < 1 ? 1 : most < 4 * n ? most : 4 * n;
		j->pixels = ((all + j->ranges - 1) / j->ranges + j->code->pixels - 1) / j->code->pixels * j->code->pixels;
		j->ranges = (all + j->pixels - 1) / j->pixels;
		j->groups = c.n * j->ranges < 4 * n ? j->panels : 1;
		j->parts = j->preparing + c.n * j->ranges * j->groups;
	}
	together(frame, j, n - 1);
	return NULL;
}

const char *fewimages_register(const char *path, const char *name, int lanes) {
	void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
	const struct {
		size_t size;
		const ffi_extension *extensions;
	} *(*get)(void) = library ? dlsym(library, "GetPjrtApi") : NULL;
	if (!get || !get())
		return "the plugin is not loaded";
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
	return ((void *(*)(void *))e->content[2])(&args) ? "the plugin refuses the function" : NULL; // an error is said once, and leaks
}
