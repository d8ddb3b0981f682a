package onnx

/*
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

// one_heap gives all threads one heap, so that kept memory is kept once and not once
// a thread (318 MB after a check became 230). The allocator takes the number of its
// heaps before the second thread allocates and never again: hence a constructor.
#ifdef M_ARENA_MAX
__attribute__((constructor)) static void one_heap(void) { mallopt(M_ARENA_MAX, 1); }
#endif

// overwrite_freed has the allocator overwrite memory when it is freed, and keep it
// instead of returning it to the system: each run takes as much again, and fetching
// it page by page took up to a sixth of a process's time. It returns 0 where the
// allocator cannot overwrite.
static int overwrite_freed(void) {
#ifdef M_PERTURB
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	return mallopt(M_PERTURB, 0xff);
#else
	return 0;
#endif
}
*/
import "C"

// overwriteFreed has the C library overwrite what is freed, and reports whether it
// does (glibc; mallopt(3), M_PERTURB). Between its layers a network holds what can
// be drawn on a face: with the runtime's arena off (sessionOptions) that memory is
// freed after each run, and so is gone. Blocks of a kilobyte or less escape, which
// the allocator keeps in a list of its own: newLane's first run sees to it that
// later ones need none.
func overwriteFreed() bool { return C.overwrite_freed() != 0 }
