#include "ffi_linux_amd64.h"
#include "team_linux_amd64.h"
#include <dlfcn.h>
#include <string.h>

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

int ffi_threads(const ffi_frame *frame) {
	int64_t n = 1;
	struct {
		size_t size;
		void *extensions;
		void *context;
		int64_t *n; // out
	} args = {sizeof args, NULL, frame->context, &n};
	return call(frame, NUM_THREADS, &args) && n > 1 ? n < TEAM ? n : TEAM : 1;
}

void *ffi_fail(const ffi_frame *frame, const char *message) {
	struct {
		size_t size;
		void *extensions;
		const char *message;
		int code;
	} args = {sizeof args, NULL, message, 13}; // internal
	return ((void *(*)(void *))frame->api->functions[ERROR_CREATE])(&args);
}

const ffi_buffer *ffi_buffer_of(const ffi_buffers *of, int i, int rank) {
	if (i >= of->count || of->types[i] != 1 || of->values[i]->type != FLOAT32 || of->values[i]->rank != rank)
		return NULL;
	return of->values[i];
}

const int64_t *ffi_integers(const ffi_frame *frame, int count) {
	const ffi_attributes *as = &frame->attributes;
	if (as->count != 1 || as->types[0] != 1 || as->values[0]->type != INT64 || as->values[0]->count != count)
		return NULL;
	return as->values[0]->values;
}

int ffi_as_many(const ffi_buffer *b, long n) {
	long product = 1;
	for (int64_t i = 0; i < b->rank; i++)
		product *= b->dims[i];
	return product == n;
}

int ffi_asked(const ffi_frame *frame, void **answer) {
	for (const ffi_extension *e = frame->extensions; e; e = e->next)
		if (e->type == 1) { // XLA asks what the function is written for
			ffi_metadata *m = e->content[0];
			m->version.major = frame->api->version.major;
			m->version.minor = frame->api->version.minor;
			m->traits = 0;
			*answer = NULL;
			if (frame->api->version.major != 0 || frame->api->size < offsetof(ffi_api, functions) + FUNCTIONS * sizeof(void *))
				*answer = ffi_fail(frame, "this version of XLA's interface is unknown");
			return 1;
		}
	return 0;
}

const char *ffi_register(const char *path, const char *convolution_name, const char *kernel_gradient_name) {
	static const void *known; // the plugin that knows them: it has one path or several
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
	const struct {
		const char *name;
		ffi_function *function;
	} ours[] = {{convolution_name, convolution}, {kernel_gradient_name, kernel_gradient}};
	for (int i = 0; i < 2; i++) {
		struct {
			size_t size;
			const char *name;
			size_t name_size;
			ffi_function *function;
			const char *platform;
			size_t platform_size;
			uint32_t traits;
		} args = {sizeof args, ours[i].name, strlen(ours[i].name), ours[i].function, "Host", 4, 0};
		if (((void *(*)(void *))e->content[2])(&args))
			return "the plugin refuses a function"; // its error leaks
	}
	known = get();
	return NULL;
}
