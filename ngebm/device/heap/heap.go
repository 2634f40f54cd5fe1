// Package heap tunes the C heap of the whole process for XLA on the CPU. A program
// imports it for its effect; a library should not. It has no effect where the libc is
// not glibc, and none where the address space is limited (ulimit -v).
//
// XLA's CPU plugin takes the memory for all intermediate tensors of an execution in one
// piece and frees it afterwards. glibc would map a piece of that size and give it back,
// and the kernel clear its pages again in every step: 150 MB and a seventh of the
// processor time of a step of WRN-10-2 with 64 images. So a program with this package
// in it keeps freed memory, up to 2 GB of it, and has the first 1.75 GB of its heap in pages
// of 2 MB where the system knows them: a step of WRN-16-4 with 32 images is 3 % faster.
// malloc_trim after a graph was compiled, which would free 300 MB, takes that away again:
// it divides those pages.
//
// The heap begins with pieces of 128 MB for what is smaller: taken from where a step's
// tensors were, it would leave no room for the next step's, which would be put
// behind, 290 MB for those of WRN-16-4 once or twice in a run.
package heap
