#include "hook_linux.h"
#include "_cgo_export.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const pjrt_api *plugin; // of the process; set once, before the copy is in use
static pjrt_api *copy;         // of its table

// This thread's handler: not by __thread, which Go's own linker (-linkmode=internal) cannot place.
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int keyed; // without a key nothing is intercepted

static void make_key(void) { keyed = !pthread_key_create(&key, NULL); }

void pjrthook_use(uintptr_t handle) {
	pthread_once(&once, make_key);
	if (keyed)
		pthread_setspecific(key, (void *)handle);
}

static void *compile(pjrt_compile_args *args) {
	pthread_once(&once, make_key);
	uintptr_t current = keyed ? (uintptr_t)pthread_getspecific(key) : 0;
	return current ? pjrthookCompile(current, args) : pjrthook_compile(args);
}

void *pjrthook_compile(pjrt_compile_args *args) {
	return ((void *(*)(pjrt_compile_args *))plugin->functions[CLIENT_COMPILE])(args);
}

void *pjrthook_wrap(const char *path, const char **why) {
	void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
	const pjrt_api *(*get)(void) = library ? dlsym(library, "GetPjrtApi") : NULL;
	const pjrt_api *api = get ? get() : NULL;
	if (!api) {
		*why = "it is not loaded";
		return NULL;
	}
	if (api->version.major != 0 || api->struct_size < offsetof(pjrt_api, functions) + FUNCTIONS * sizeof(void *)) {
		*why = "its version of PJRT is unknown";
		return NULL;
	}
	if (plugin && plugin != api) {
		*why = "another plugin of this process has one";
		return NULL;
	}
	if (copy)
		return copy;
	copy = malloc(api->struct_size);
	if (!copy) {
		*why = "no memory";
		return NULL;
	}
	memcpy(copy, api, api->struct_size);
	copy->functions[CLIENT_COMPILE] = compile;
	plugin = api;
	return copy;
}

// failed frees an error of the plugin's and reports whether there was one.
static int failed(void *error) {
	struct {
		size_t struct_size;
		void *extensions;
		void *error;
	} args = {sizeof args, NULL, error};
	if (error)
		((void (*)(void *))plugin->functions[ERROR_DESTROY])(&args);
	return error != NULL;
}

// call calls one of the plugin's functions, and reports whether it worked.
static int call(int function, void *args) {
	return !failed(((void *(*)(void *))plugin->functions[function])(args));
}

int pjrthook_load(pjrt_compile_args *args, const void *bytes, size_t size) {
	struct {
		size_t struct_size;
		void *extensions;
		void *client;
		const void *bytes;
		size_t size;
		void *loaded; // out
		const char *options; // NULL: those that it was compiled with
		size_t options_size;
	} load = {sizeof load, NULL, args->client, bytes, size};
	if (!call(EXECUTABLE_DESERIALIZE_AND_LOAD, &load))
		return 0;
	args->loaded = load.loaded;
	return 1;
}

int pjrthook_serialize(const pjrt_compile_args *args, pjrt_serialize_args *out) {
	struct {
		size_t struct_size;
		void *extensions;
		void *loaded;
		void *executable; // out
	} get = {sizeof get, NULL, args->loaded};
	if (!call(LOADED_EXECUTABLE_GET_EXECUTABLE, &get))
		return 0;
	memset(out, 0, sizeof *out);
	out->struct_size = sizeof *out;
	out->executable = get.executable;
	int done = call(EXECUTABLE_SERIALIZE, out);
	struct {
		size_t struct_size;
		void *extensions;
		void *executable;
	} destroy = {sizeof destroy, NULL, get.executable};
	call(EXECUTABLE_DESTROY, &destroy);
	return done;
}

void pjrthook_release(pjrt_serialize_args *out) { out->release(out->owner); }
