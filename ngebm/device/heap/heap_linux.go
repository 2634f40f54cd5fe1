//go:build linux

package heap

/*
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#ifdef __GLIBC__
#define HUGE ((uintptr_t)2 << 20)
#define ROOM ((size_t)1 << 30)
#define PIECE ((size_t)128 << 20)
#define PIECES 6

// take takes addresses, most of which are to be in huge pages. Nothing is written there but at
// the ends.
static void *take(size_t size) {
	void *p = malloc(size);
	if (p) {
		uintptr_t from = ((uintptr_t)p + HUGE - 1) & ~(HUGE - 1), to = ((uintptr_t)p + size) & ~(HUGE - 1);
		madvise((void *)from, to - from, MADV_HUGEPAGE);
	}
	return p;
}

// Before the program's first thread, because a thread that has an arena keeps it.
__attribute__((constructor)) static void keep_memory(void) {
	mallopt(M_ARENA_MAX, 1); // another thread's arena would map such pieces all the same
	struct rlimit addresses;
	if (getrlimit(RLIMIT_AS, &addresses) || addresses.rlim_cur != RLIM_INFINITY)
		return; // ulimit -v: they are not free
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, 0x7fffffff);

	void *pieces[PIECES] = {0};
	for (int i = 0; i < PIECES; i++) {
		pieces[i] = take(PIECE);
		if (!malloc(1 << 10)) // never freed: the pieces would become one
			break;
	}
	free(take(ROOM));
	for (int i = 0; i < PIECES; i++)
		free(pieces[i]);
}
#endif
*/
import "C"
