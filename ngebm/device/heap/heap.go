// Package heap tunes the C heap of the whole process for XLA on the CPU. A program
// imports it for its effect; a library should not. It has no effect where the libc is
// not glibc, and none where the address space is limited (ulimit -v).
//
// XLA's CPU plugin takes the memory for all intermediate tensors of an execution in one
// block and frees it afterwards. By default glibc maps a block of that size and unmaps it, so
// the kernel clears its pages in every step: 150 MB and a seventh of the processor time of a
// step of WRN-10-2 with 64 images. With this package, the program keeps freed memory, up to
// 2 GB, and has the first 1.75 GB of its heap in pages of 2 MB where the system supports them:
// a step of WRN-16-4 with 32 images is 3 % faster. malloc_trim after compiling a graph would
// free 300 MB, but split those pages and lose that again.
//
// The heap begins with blocks of 128 MB for smaller allocations. Without them these would
// fragment the space of a step's tensors, and the next step's would need new space: 290 MB for
// WRN-16-4, once or twice in a run.
package heap
