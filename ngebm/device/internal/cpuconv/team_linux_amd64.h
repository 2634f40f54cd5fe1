// Work in parts that threads do together.
#pragma once
#include <stdatomic.h>

enum { TEAM = 64 }; // threads at most

typedef struct team_work team_work;

struct team_work {
	void (*part)(team_work *, int i, int thread); // does a part; thread is its number, from 0
	int (*before)(const team_work *, int i);   // so many of the first parts are done before part i begins, and none after i
	int parts;

	// of the team
	atomic_int next, done, users;
	unsigned modes; // of rounding and of numbers too small for float32's usual form
	int wanted;     // so many helpers are still welcome
	int helpers;    // that have come
	team_work *behind;
};

// team_do does all parts of a work on this thread and on up to that many helpers, which are threads of this
// package and live as long as the process. The work is allocated by malloc, and freed.
void team_do(team_work *w, int helpers);
