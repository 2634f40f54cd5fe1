#include "team_linux_amd64.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <xmmintrin.h>

enum { LOOK = 40000 }; // nanoseconds that a helper looks for more to do before it sleeps: convolutions follow each other

static struct {
	pthread_mutex_t lock;
	pthread_cond_t news;
	_Atomic(team_work *) queue; // those that want helpers
	int threads, asleep;
} team = {.lock = PTHREAD_MUTEX_INITIALIZER, .news = PTHREAD_COND_INITIALIZER};

// wait waits until so many parts are done, which other threads work on.
static void wait(team_work *w, int parts) {
	for (int i = 0; atomic_load(&w->done) < parts; i++)
		if (i < 2000)
			_mm_pause();
		else
			sched_yield();
}

static void work(team_work *w, int thread) {
	for (int i; (i = atomic_fetch_add(&w->next, 1)) < w->parts; atomic_fetch_add(&w->done, 1)) {
		wait(w, w->before(w, i));
		w->part(w, i, thread);
	}
}

static void leave(team_work *w) {
	if (atomic_fetch_sub(&w->users, 1) == 1)
		free(w);
}

static int64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

// look waits for a while, until something may be in the queue.
static void look(void) {
	for (int64_t end = now() + LOOK; !atomic_load(&team.queue) && now() < end; sched_yield())
		for (int i = 0; i < 20; i++)
			_mm_pause();
}

// take waits for a work that wants help. It counts the threads that help.
static team_work *take(int *thread) {
	pthread_mutex_lock(&team.lock);
	team_work *w;
	while (!(w = atomic_load(&team.queue))) {
		team.asleep++;
		pthread_cond_wait(&team.news, &team.lock);
		team.asleep--;
	}
	atomic_fetch_add(&w->users, 1);
	*thread = ++w->helpers;
	if (--w->wanted == 0)
		atomic_store(&team.queue, w->behind);
	pthread_mutex_unlock(&team.lock);
	return w;
}

static void *help(void *none) {
	for (;;) {
		look();
		int thread;
		team_work *w = take(&thread);
		_mm_setcsr(w->modes);
		work(w, thread);
		leave(w);
	}
	return none;
}

// more makes threads until there are n, or as many as the system allows.
static void more(int n) {
	sigset_t all, before;
	pthread_attr_t detached;
	if (team.threads >= n || pthread_attr_init(&detached))
		return;
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); // signals are for the other threads
	for (pthread_t t; team.threads < n && !pthread_create(&t, &detached, help, NULL);)
		team.threads++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&detached);
}

static void want(team_work *w, int helpers) {
	pthread_mutex_lock(&team.lock);
	more(helpers);
	w->wanted = helpers;
	w->behind = atomic_load(&team.queue);
	atomic_store(&team.queue, w);
	for (int i = 0; i < helpers && i < team.asleep; i++)
		pthread_cond_signal(&team.news);
	pthread_mutex_unlock(&team.lock);
}

// enough takes a work that wants more helpers out of the queue.
static void enough(team_work *w) {
	pthread_mutex_lock(&team.lock);
	if (w->wanted && atomic_load(&team.queue) == w)
		atomic_store(&team.queue, w->behind);
	else if (w->wanted) {
		team_work *before = atomic_load(&team.queue);
		while (before->behind != w)
			before = before->behind;
		before->behind = w->behind;
	}
	pthread_mutex_unlock(&team.lock);
}

void team_do(team_work *w, int helpers) {
	atomic_store(&w->next, 0);
	atomic_store(&w->done, 0);
	atomic_store(&w->users, 1);
	w->modes = _mm_getcsr();
	w->helpers = 0;
	if (helpers > w->parts - 1)
		helpers = w->parts - 1;
	if (helpers > 0)
		want(w, helpers);
	work(w, 0);
	if (helpers > 0)
		enough(w);
	wait(w, w->parts);
	leave(w);
}
