// The loops of a convolution, for registers of LANES floats, PIXELS side by side, and the processor TARGET.
// microkernels_linux_amd64.c includes this file for each kind of register.
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
typedef int NAME(bits) __attribute__((vector_size(LANES * sizeof(int)), aligned(4), may_alias));
#define AT(p) (*(NAME(vec) *)(p))

// CASES give the compiler a number of pixels, or of inputs, that it knows.
#if PIXELS > 6
#define CASES CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#else
#define CASES CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#endif

// leaky is LeakyReLU.
static inline __attribute__((always_inline, target(TARGET))) NAME(vec) NAME(leaky)(NAME(vec) x, float slope) {
	NAME(bits) positive = x > 0;
	return (NAME(vec))(((NAME(bits))x & positive) | ((NAME(bits))(x * slope) & ~positive));
}

// leaky_row is that of n numbers.
CODE void NAME(leaky_row)(float *to, const float *x, long n, float slope) {
	long i = 0;
	for (; i + LANES <= n; i += LANES)
		AT(to + i) = NAME(leaky)(AT(x + i), slope);
	for (; i < n; i++)
		to[i] = x[i] > 0 ? x[i] : x[i] * slope;
}

// tile computes p pixels of a panel. at has, for each of some runs of the input, where it begins for each of PIXELS pixels.
static inline __attribute__((always_inline, target(TARGET))) void NAME(tile)(int p, const float *const *at, int runs, long length, const float *packed, float *y, long oc) {
	NAME(vec) sum[PIXELS][2];
#pragma GCC unroll 16
	for (int i = 0; i < p; i++)
		sum[i][0] = sum[i][1] = (NAME(vec)){0};
	for (int k = 0; k < runs; k++) {
		const float *x[PIXELS];
#pragma GCC unroll 16
		for (int i = 0; i < p; i++)
			x[i] = at[k * PIXELS + i];
		for (long c = 0; c < length; c++, packed += WIDTH) {
			NAME(vec) w0 = AT(packed), w1 = AT(packed + LANES);
#pragma GCC unroll 16
			for (int i = 0; i < p; i++) {
				sum[i][0] += x[i][c] * w0;
				sum[i][1] += x[i][c] * w1;
			}
		}
	}
#pragma GCC unroll 16
	for (int i = 0; i < p; i++) {
		AT(y + i * oc) = sum[i][0];
		AT(y + i * oc + LANES) = sum[i][1];
	}
}

CODE __attribute__((noinline)) void NAME(any_tile)(int p, const float *const *at, int runs, long length, const float *packed, float *y, long oc) {
#define CASE(p) \
	case p: \
		NAME(tile)(p, at, runs, length, packed, y, oc); \
		break;
	switch (p) {
		CASES
	}
#undef CASE
}

static void NAME(pack)(const conv_shape *c, const float *kernel, int o, float *packed) {
	for (long i = 0, rows = (long)c->kh * c->kw * c->ic; i < rows; i++)
		memcpy(packed + i * WIDTH, kernel + i * c->oc + o, WIDTH * sizeof *packed);
}

// add_epilogue adds what is added to the sums of a pixel's panel.
static inline __attribute__((always_inline, target(TARGET))) NAME(vec) NAME(add_epilogue)(NAME(vec) sum, const conv_epilogue *epilogue, long at, int l) {
	if (epilogue->bias)
		sum += AT(epilogue->bias + l);
	if (epilogue->residual)
		sum += AT(epilogue->residual + at + l);
	return sum;
}

CODE void NAME(direct)(const conv_shape *c, const float *rows, long row, const float *packed, int from, int to, const conv_epilogue *epilogue, float *y) {
	const float *at[MAX_POSITIONS * PIXELS];
	for (int first = from; first < to; first += PIXELS) {
		int p = to - first < PIXELS ? to - first : PIXELS;
		int oh = first / c->ow, ow = first % c->ow;
		for (int i = 0; i < p; i++) {
			const float *place = rows + (long)oh * c->sh * row + (long)ow * c->sw * c->ic;
			for (int k = 0; k < c->kh; k++, place += row)
				at[k * PIXELS + i] = place;
			if (++ow == c->ow)
				ow = 0, oh++;
		}
		NAME(any_tile)(p, at, c->kh, (long)c->kw * c->ic, packed, y + (long)first * c->oc, c->oc);
		for (int i = 0; (epilogue->bias || epilogue->residual) && i < p; i++)
			for (int l = 0; l < WIDTH; l += LANES) {
				long place = (long)(first + i) * c->oc;
				AT(y + place + l) = NAME(add_epilogue)(AT(y + place + l), epilogue, place, l);
			}
	}
}

CODE void NAME(pad)(const conv_shape *c, const float *x, float slope, int pixel, int from, int to, float *rows, long row) {
	int first = c->pw < 0 ? -c->pw : 0, before = c->pw < 0 ? 0 : c->pw, columns = row / pixel, n = c->w - first;
	if (n > columns - before)
		n = columns - before;
	for (int i = from; i < to; i++) {
		float *to_row = rows + i * row;
		int h = i - c->ph;
		if (h < 0 || h >= c->h || n <= 0) {
			memset(to_row, 0, row * sizeof *to_row);
			continue;
		}
		memset(to_row, 0, (long)before * pixel * sizeof *to_row);
		const float *from_row = x + ((long)h * c->w + first) * c->ic;
		to_row += (long)before * pixel;
		if (pixel == c->ic)
			NAME(leaky_row)(to_row, from_row, (long)n * c->ic, slope);
		else
			for (int k = 0; k < n; k++)
				NAME(leaky_row)(to_row + (long)k * pixel, from_row + (long)k * c->ic, c->ic, slope);
		memset(to_row + (long)n * pixel, 0, (long)(columns - before - n) * pixel * sizeof *to_row);
	}
}

CODE void NAME(pack_winograd)(const conv_shape *c, const float *kernel, int o, float *packed) {
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

// transform_some transforms n numbers of six rows.
CODE void NAME(transform_some)(const float *const *rows, long n, float slope, float *to, long row) {
	const float *from[6];
	memcpy(from, rows, sizeof from);
	for (long i = 0; i < n; i += LANES) {
		NAME(vec) in[6] = {0}, out[6];
		long left = n - i < LANES ? n - i : LANES;
		for (int k = 0; k < 6; k++) {
			if (left < LANES)
				memcpy(&in[k], from[k] + i, left * sizeof *to);
			else
				in[k] = AT(from[k] + i);
			in[k] = NAME(leaky)(in[k], slope);
		}
		NAME(vec) even = in[4] - 4 * in[2], odd = in[3] - 4 * in[1];
		out[0] = 4 * in[0] - 5 * in[2] + in[4];
		out[1] = even + odd;
		out[2] = even - odd;
		even = in[4] - in[2], odd = 2 * (in[3] - in[1]);
		out[3] = even + odd;
		out[4] = even - odd;
		out[5] = 4 * in[1] - 5 * in[3] + in[5];
		for (int k = 0; k < 6; k++)
			if (left < LANES)
				memcpy(to + i + k * row, &out[k], left * sizeof *to);
			else
				AT(to + i + k * row) = out[k];
	}
}

CODE void NAME(transform_input)(const conv_shape *c, const float *x, float slope, const float *zeros, int pixel, int first, float *rows) {
	long row = (long)(c->ow + 2) * pixel, before = (long)c->pw * pixel, n = (long)c->w * pixel;
	const float *from[6];
	for (int i = 0; i < 6; i++) {
		int h = first + i;
		from[i] = h >= 0 && h < c->h ? x + (long)h * c->w * c->ic : zeros;
		memset(rows + i * row, 0, before * sizeof *rows);
		memset(rows + i * row + before + n, 0, (row - before - n) * sizeof *rows);
	}
	if (pixel == c->ic) {
		NAME(transform_some)(from, n, slope, rows + before, row);
		return;
	}
	for (int k = 0; k < c->w; k++) {
		NAME(transform_some)(from, c->ic, slope, rows + before + (long)k * pixel, row);
		for (int i = 0; i < 6; i++)
			from[i] += c->ic;
	}
}

CODE void NAME(winograd)(const conv_shape *c, const float *rows, const float *packed, int count, const conv_epilogue *epilogue, float *y) {
	long row = (long)(c->ow + 2) * c->ic, next = 3L * c->ic * WIDTH;
	float products[6][PIXELS * WIDTH];
	int tiles = (c->ow + PIXELS - 1) / PIXELS; // about as large as each other: small ones keep the processor waiting for sums
	for (int first = 0, p; first < c->ow; first += p, tiles--) {
		p = (c->ow - first + tiles - 1) / tiles;
		for (int k = 0; k < 6; k++) {
			const float *at[PIXELS];
			for (int i = 0; i < p; i++)
				at[i] = rows + k * row + (long)(first + i) * c->ic;
			NAME(any_tile)(p, at, 1, 3L * c->ic, packed + k * next, products[k], WIDTH);
		}
		for (int i = 0; i < p; i++)
			for (int l = 0; l < WIDTH; l += LANES) {
				NAME(vec) m[6];
				for (int k = 0; k < 6; k++)
					m[k] = AT(products[k] + i * WIDTH + l);
				NAME(vec) a = m[1] + m[2], b = m[1] - m[2], d = m[3] + m[4], e = m[3] - m[4];
				NAME(vec) sums[4] = {m[0] + a + d, b + 2 * e, a + 4 * d, b + 8 * e + m[5]};
				for (int r = 0; r < count; r++) {
					long place = ((long)r * c->ow + first + i) * c->oc;
					AT(y + place + l) = NAME(add_epilogue)(sums[r], epilogue, place, l);
				}
			}
	}
}

static inline __attribute__((always_inline, target(TARGET))) void NAME(accumulate_some)(const conv_shape *c, int n, const float *x, long x_line, long step, const float *y, int lines, float *sums) {
	NAME(vec) sum[PIXELS][2];
	for (int i = 0; i < n; i++)
		sum[i][0] = sum[i][1] = (NAME(vec)){0};
	for (; lines > 0; lines--, x += x_line) {
		const float *at = x;
		for (int j = 0; j < c->ow; j++, at += step, y += WIDTH) {
			NAME(vec) y0 = AT(y), y1 = AT(y + LANES);
#pragma GCC unroll 16
			for (int i = 0; i < n; i++) {
				sum[i][0] += at[i] * y0;
				sum[i][1] += at[i] * y1;
			}
		}
	}
	for (int i = 0; i < n; i++, sums += WIDTH) {
		AT(sums) += sum[i][0];
		AT(sums + LANES) += sum[i][1];
	}
}

CODE void NAME(accumulate)(const conv_shape *c, int n, const float *x, long x_line, long step, const float *y, int lines, float *sums) {
	int tiles = (n + PIXELS - 1) / PIXELS;
	for (int p; tiles > 0; n -= p, x += p, sums += p * WIDTH, tiles--) {
		p = (n + tiles - 1) / tiles;
#define CASE(p) \
	case p: \
		NAME(accumulate_some)(c, p, x, x_line, step, y, lines, sums); \
		break;
		switch (p) {
			CASES
		}
#undef CASE
	}
}

CODE void NAME(transform_gradient)(const conv_shape *c, const float *y, int count, float *to, long line, long panel) {
	long row = (long)c->ow * c->oc;
	for (int o = 0; o < c->oc; o += WIDTH, to += panel)
		for (int j = 0; j < c->ow; j++)
			for (int l = 0; l < WIDTH; l += LANES) {
				const float *from = y + (long)j * c->oc + o + l;
				NAME(vec) in[4] = {0};
				for (int i = 0; i < count; i++)
					in[i] = AT(from + i * row);
				NAME(vec) a = in[0] + in[2], b = in[1] + in[3], d = in[0] + 4 * in[2], e = 2 * in[1] + 8 * in[3];
				float *at = to + (long)j * WIDTH + l;
				AT(at) = in[0];
				AT(at + line) = a + b;
				AT(at + 2 * line) = a - b;
				AT(at + 3 * line) = d + e;
				AT(at + 4 * line) = d - e;
				AT(at + 5 * line) = in[3];
			}
}

CODE void NAME(pack_gradient)(const conv_shape *c, const float *y, float *to, long panel) {
	for (int o = 0; o < c->oc; o += WIDTH, to += panel)
		for (int j = 0; j < c->ow; j++)
			for (int l = 0; l < WIDTH; l += LANES)
				AT(to + (long)j * WIDTH + l) = AT(y + (long)j * c->oc + o + l);
}

CODE void NAME(untransform_kernel)(const float *sums, long next, long n, float *kernel, long row, long oc) {
	for (long i = 0; i < n; i++, sums += WIDTH, kernel += oc)
		for (int l = 0; l < WIDTH; l += LANES) {
			NAME(vec) m[6];
			for (int k = 0; k < 6; k++)
				m[k] = AT(sums + k * next + l);
			NAME(vec) a = m[1] + m[2], b = m[1] - m[2], d = m[3] + m[4], e = m[3] - m[4];
			AT(kernel + l) = m[0] * (1.f / 4) - a * (1.f / 6) + d * (1.f / 24);
			AT(kernel + row + l) = e * (1.f / 12) - b * (1.f / 6);
			AT(kernel + 2 * row + l) = (d - a) * (1.f / 6) + m[5];
		}
}

const microkernels NAME(microkernels) = {WIDTH, PIXELS, NAME(pack), NAME(pad), NAME(direct), NAME(pack_winograd), NAME(transform_input), NAME(winograd),
	NAME(accumulate), NAME(transform_gradient), NAME(pack_gradient), NAME(untransform_kernel)};

#undef JOIN_
#undef JOIN
#undef NAME
#undef CODE
#undef WIDTH
#undef AT
#undef CASES
#undef LANES
#undef PIXELS
#undef TARGET
