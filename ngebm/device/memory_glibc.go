//go:build linux

package device

/*
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

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

// XLA's CPU plugin takes the memory for all intermediate tensors of an execution in one
// piece and frees it afterwards. glibc would map a piece of that size and give it back,
// and the kernel clear its pages anew in every step: 150 MB and a seventh of the
// processor time of a step of WRN-10-2 with 64 images. So a program with this package
// in it keeps freed memory, up to 2 GB of it, and has the first 1.75 GB of its heap in pages
// of 2 MB where the system knows them: a step of WRN-16-4 with 32 images is 3 % faster.
// malloc_trim after a graph was compiled, which would free 300 MB, takes that away again:
// it divides those pages.
//
// The heap begins with pieces of 128 MB for what is smaller: taken from where a step's
// tensors were, it would leave no room for the next step's, which would be put
// behind, 290 MB for those of WRN-16-4 once or twice in a run.
