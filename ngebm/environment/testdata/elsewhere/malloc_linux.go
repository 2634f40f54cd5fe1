package main

/*
#include <malloc.h>
#include <stdlib.h>

// mapped tells whether a large piece is mapped by itself, as glibc does by default.
static int mapped(void) {
#ifdef __GLIBC__
	volatile struct mallinfo2 before = mallinfo2();
	void *p = malloc(8 << 20);
	volatile struct mallinfo2 after = mallinfo2();
	free(p);
	return after.hblks > before.hblks;
#else
	return 0;
#endif
}
*/
import "C"

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
)

// malloc says how the C heap behaves.
func malloc() string {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return err.Error()
	}
	var total int64
	for _, m := range regexp.MustCompile(`(?m)^([0-9a-f]+)-([0-9a-f]+) .*\[heap\]$`).FindAllSubmatch(maps, -1) {
		from, _ := strconv.ParseInt(string(m[1]), 16, 64)
		to, _ := strconv.ParseInt(string(m[2]), 16, 64)
		total += to - from
	}
	return fmt.Sprintf("large pieces mapped: %d; more than 256 MiB from the start: %v", C.mapped(), total > 256<<20)
}
