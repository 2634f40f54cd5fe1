// The loops of a convolution, for registers of LANES floats, PIXELS side by side, and the processor TARGET.
// conv_linux_amd64.c includes this file for each kind of register.
//
// A tile of PIXELS by two registers of channels stays in registers while all that goes into it is added, so that
// each number that is loaded is used many times. Every number of the result is one sum in the order of the
// kernel's positions and the input's channels, whatever the tile and the thread.
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(x) JOIN(x, LANES)
#define CODE static __attribute__((target(TARGET)))
#define WIDTH (2 * LANES)

typedef float NAME(vec) __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));
#define AT(p) (*(NAME(vec) *)(p))

// tile computes p pixels of a panel. at has, for each position of the kernel, PIXELS places in the input.
static inline __attribute__((always_inline, target(TARGET))) void NAME(tile)(int p, const float *const *at, int positions, int ic, const float *packed, float *y, long oc) {
	NAME(vec) sum[PIXELS][2];
	for (int i = 0; i < p; i++)
		sum[i][0] = sum[i][1] = (NAME(vec)){0};
	for (int k = 0; k < positions; k++) {
		const float *x[PIXELS];
		for (int i = 0; i < p; i++)
			x[i] = at[k * PIXELS + i];
		for (int c = 0; c < ic; c++, packed += WIDTH) {
			NAME(vec) w0 = AT(packed), w1 = AT(packed + LANES);
#pragma GCC unroll 16
			for (int i = 0; i < p; i++) {
				sum[i][0] += x[i][c] * w0;
				sum[i][1] += x[i][c] * w1;
			}
		}
	}
	for (int i = 0; i < p; i++) {
		AT(y + i * oc) = sum[i][0];
		AT(y + i * oc + LANES) = sum[i][1];
	}
}

// any_tile gives the compiler a number of pixels that it knows.
CODE __attribute__((noinline)) void NAME(any_tile)(int p, const float *const *at, int positions, int ic, const float *packed, float *y, long oc) {
#define CASE(p) \
	case p: \
		NAME(tile)(p, at, positions, ic, packed, y, oc); \
		break;
	switch (p) {
		CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#if PIXELS > 6
		CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#endif
	}
#undef CASE
}

static void NAME(pack)(const conv_shape *c, const float *kernel, int o, float *packed) {
	for (long i = 0, rows = (long)c->kh * c->kw * c->ic; i < rows; i++)
		memcpy(packed + i * WIDTH, kernel + i * c->oc + o, WIDTH * sizeof *packed);
}

static void NAME(some)(const conv_shape *c, const float *x, const float *zeros, const float *packed, int o, int end, int from, int to, float *y) {
	int positions = c->kh * c->kw;
	const float *at[MAX_POSITIONS * PIXELS];
	for (int first = from; first < to; first += PIXELS) {
		int p = to - first < PIXELS ? to - first : PIXELS;
		int oh = first / c->ow, ow = first % c->ow;
		for (int i = 0; i < p; i++) {
			const float **place = at + i;
			for (int kh = 0, h = oh * c->sh - c->ph; kh < c->kh; kh++, h++)
				for (int kw = 0, w = ow * c->sw - c->pw; kw < c->kw; kw++, w++, place += PIXELS)
					*place = h >= 0 && h < c->h && w >= 0 && w < c->w ? x + ((long)h * c->w + w) * c->ic : zeros;
			if (++ow == c->ow)
				ow = 0, oh++;
		}
		const float *panel = packed;
		for (int i = o; i < end; i += WIDTH, panel += (long)positions * c->ic * WIDTH)
			NAME(any_tile)(p, at, positions, c->ic, panel, y + (long)first * c->oc + i, c->oc);
	}
}

CODE void NAME(pack_rows)(const conv_shape *c, const float *kernel, int o, float *packed) {
	long row = 3L * c->ic * c->oc, next = 3L * c->ic * WIDTH;
	for (long i = 0; i < 3L * c->ic; i++)
		for (int l = 0; l < WIDTH; l += LANES) {
			const float *k = kernel + i * c->oc + o + l;
			float *to = packed + i * WIDTH + l;
			NAME(vec) k0 = AT(k), k1 = AT(k + row), k2 = AT(k + 2 * row);
			NAME(vec) even = (k0 + k2) * (-1.f / 6), odd = k1 * (-1.f / 6);
			AT(to) = k0 * (1.f / 4);
			AT(to + next) = even + odd;
			AT(to + 2 * next) = even - odd;
			even = k0 * (1.f / 24) + k2 * (1.f / 6), odd = k1 * (1.f / 12);
			AT(to + 3 * next) = even + odd;
			AT(to + 4 * next) = even - odd;
			AT(to + 5 * next) = k2;
		}
}

CODE void NAME(transform)(const conv_shape *c, const float *x, const float *zeros, int first, float *rows) {
	long n = (long)c->w * c->ic, row = (long)(c->ow + 2) * c->ic, before = (long)c->pw * c->ic;
	const float *from[6];
	for (int i = 0; i < 6; i++) {
		int h = first + i;
		from[i] = h >= 0 && h < c->h ? x + h * n : zeros;
		memset(rows + i * row, 0, before * sizeof *rows);
		memset(rows + i * row + before + n, 0, (row - before - n) * sizeof *rows);
	}
	float *to = rows + before;
	for (long i = 0; i < n; i++) {
		float x0 = from[0][i], x1 = from[1][i], x2 = from[2][i], x3 = from[3][i], x4 = from[4][i], x5 = from[5][i];
		float even = x4 - 4 * x2, odd = x3 - 4 * x1;
		to[i] = 4 * x0 - 5 * x2 + x4;
		to[i + row] = even + odd;
		to[i + 2 * row] = even - odd;
		even = x4 - x2, odd = 2 * (x3 - x1);
		to[i + 3 * row] = even + odd;
		to[i + 4 * row] = even - odd;
		to[i + 5 * row] = 4 * x1 - 5 * x3 + x5;
	}
}

CODE void NAME(four)(const conv_shape *c, const float *rows, const float *packed, int count, float *y) {
	long row = (long)(c->ow + 2) * c->ic, next = 3L * c->ic * WIDTH;
	float products[6][PIXELS * WIDTH];
	for (int first = 0; first < c->ow; first += PIXELS) {
		int p = c->ow - first < PIXELS ? c->ow - first : PIXELS;
		for (int k = 0; k < 6; k++) {
			const float *at[3 * PIXELS];
			for (int j = 0; j < 3; j++)
				for (int i = 0; i < p; i++)
					at[j * PIXELS + i] = rows + k * row + (long)(first + i + j) * c->ic;
			NAME(any_tile)(p, at, 3, c->ic, packed + k * next, products[k], WIDTH);
		}
		for (int i = 0; i < p; i++)
			for (int l = 0; l < WIDTH; l += LANES) {
				NAME(vec) m[6];
				for (int k = 0; k < 6; k++)
					m[k] = AT(products[k] + i * WIDTH + l);
				NAME(vec) a = m[1] + m[2], b = m[1] - m[2], d = m[3] + m[4], e = m[3] - m[4];
				NAME(vec) sums[4] = {m[0] + a + d, b + 2 * e, a + 4 * d, b + 8 * e + m[5]};
				for (int r = 0; r < count; r++)
					AT(y + ((long)r * c->ow + first + i) * c->oc + l) = sums[r];
			}
	}
}

const conv_code NAME(conv_code) = {WIDTH, PIXELS, NAME(pack), NAME(some), NAME(pack_rows), NAME(transform), NAME(four)};

#undef JOIN_
#undef JOIN
#undef NAME
#undef CODE
#undef WIDTH
#undef AT
#undef LANES
#undef PIXELS
#undef TARGET
