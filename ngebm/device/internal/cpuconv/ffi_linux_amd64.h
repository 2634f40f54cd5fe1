// The part of XLA's interface for functions of others (FFI) that is needed here, as xla/ffi/api/c_api.h and
// pjrt_c_api_ffi_extension.h of XLA define it. Its major version changes when something moves; what is new goes
// to the end.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct ffi_extension {
	size_t size;
	int type;
	struct ffi_extension *next;
	void *content[];
} ffi_extension;

typedef struct {
	size_t size;
	void *extensions;
	int major, minor;
} ffi_version;

typedef struct {
	size_t size;
	ffi_version version; // that a function is written for
	uint32_t traits;
} ffi_metadata;

enum { FLOAT32 = 11, INT64 = 5 };

typedef struct {
	size_t size;
	void *extensions;
	int type; // of the numbers
	float *data;
	int64_t rank;
	const int64_t *dims;
} ffi_buffer;

typedef struct {
	size_t size;
	void *extensions;
	int64_t count;
	const int *types; // 1 is a buffer
	ffi_buffer *const *values;
} ffi_buffers;

typedef struct {
	int type; // of the numbers
	size_t count;
	const int64_t *values;
} ffi_array;

typedef struct {
	size_t size;
	void *extensions;
	int64_t count;
	const int *types; // 1 is an array
	void *const *names;
	const ffi_array *const *values;
} ffi_attributes;

enum { ERROR_CREATE = 0, ERROR_DESTROY = 2, NUM_THREADS = 12, FUNCTIONS = 13 }; // places in the table

typedef struct {
	size_t size;
	void *extensions;
	ffi_version version;
	void *internal;
	void *functions[];
} ffi_api;

typedef struct {
	size_t size;
	const ffi_extension *extensions;
	const ffi_api *api;
	void *context;
	int stage;
	ffi_buffers arguments, results;
	ffi_attributes attributes;
} ffi_frame;

// An ffi_function is one that XLA calls. It returns NULL or an error.
typedef void *ffi_function(const ffi_frame *frame);

// convolution and kernel_gradient are the functions of this package.
ffi_function convolution, kernel_gradient;

// ffi_register makes a loaded plugin of XLA's CPU know them by these names. It returns NULL, or why that is not possible.
const char *ffi_register(const char *path, const char *convolution_name, const char *kernel_gradient_name);

// ffi_asked answers XLA if it asks what a function is written for.
int ffi_asked(const ffi_frame *frame, void **answer);

// ffi_threads is how many threads XLA has for its work, up to TEAM.
int ffi_threads(const ffi_frame *frame);

// ffi_fail is an error.
void *ffi_fail(const ffi_frame *frame, const char *message);

// ffi_buffer_of returns a buffer of float32 with that rank, or NULL.
const ffi_buffer *ffi_buffer_of(const ffi_buffers *of, int i, int rank);

// ffi_integers returns the call's one attribute, of so many integers, or NULL.
const int64_t *ffi_integers(const ffi_frame *frame, int count);

// ffi_as_many reports whether a buffer has so many numbers.
int ffi_as_many(const ffi_buffer *b, long n);
