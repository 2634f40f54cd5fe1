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

// fewimages_register makes a loaded plugin of XLA's CPU know the function, for registers of that many floats. It returns NULL,
// or why that is not possible.
const char *fewimages_register(const char *path, const char *name, int lanes);
