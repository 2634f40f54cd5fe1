// The part of PJRT's C interface that is needed here, as pjrt_c_api.h of XLA defines it. Its
// major version changes when a function moves; new functions go to the end.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { // places in the table of functions
	ERROR_DESTROY = 0,
	CLIENT_COMPILE = 20,
	EXECUTABLE_DESTROY = 40,
	EXECUTABLE_SERIALIZE = 49,
	LOADED_EXECUTABLE_GET_EXECUTABLE = 51,
	EXECUTABLE_DESERIALIZE_AND_LOAD = 56,
	FUNCTIONS = 57, // how many a table must have
};

typedef struct {
	size_t struct_size;
	void *extensions;
	struct {
		size_t struct_size;
		void *extensions;
		int major, minor;
	} version;
	void *functions[];
} pjrt_api;

typedef struct {
	size_t struct_size;
	void *extensions;
	char *code;
	size_t code_size;
	const char *format;
	size_t format_size;
} pjrt_program;

typedef struct {
	size_t struct_size;
	void *extensions;
	void *client;
	pjrt_program *program;
	const char *options;
	size_t options_size;
	void *loaded; // out
} pjrt_compile_args;

typedef struct {
	size_t struct_size;
	void *extensions;
	void *executable;
	const char *bytes;       // out
	size_t size;             // out
	void *owner;             // out: of bytes
	void (*release)(void *); // out: frees the owner
} pjrt_serialize_args;

// pjrthook_wrap returns a copy of a loaded plugin's table in which compiling goes
// through this thread's handler, or NULL and why.
void *pjrthook_wrap(const char *path, const char **why);

// pjrthook_use gives this thread a handler, by its cgo.Handle; 0 takes it away.
void pjrthook_use(uintptr_t handle);

// pjrthook_compile is the plugin's own function. It returns an error of the plugin's or
// NULL.
void *pjrthook_compile(pjrt_compile_args *args);

// pjrthook_load sets args->loaded to a serialized executable; it returns 0 on failure.
int pjrthook_load(pjrt_compile_args *args, const void *bytes, size_t size);

// pjrthook_serialize serializes args->loaded; it returns 0 on failure. On success
// out->release(out->owner) must follow.
int pjrthook_serialize(const pjrt_compile_args *args, pjrt_serialize_args *out);
void pjrthook_release(pjrt_serialize_args *out);
