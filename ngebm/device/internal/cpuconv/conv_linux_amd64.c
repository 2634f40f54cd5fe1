#include "conv_linux_amd64.h"
#include <string.h>

// 12 of 16 registers, and 24 of 32, hold sums.

#define LANES 8
#define PIXELS 6
#define TARGET "avx2,fma"
#include "loops_linux_amd64.h"

#define LANES 16
#define PIXELS 12
#define TARGET "avx512f"
#include "loops_linux_amd64.h"

static int most = 8;

void conv_use(int lanes) { most = lanes; }

const conv_code *conv_code_of(int oc) {
	return most >= 16 && oc % conv_code16.width == 0 ? &conv_code16 : &conv_code8;
}

int conv_fits(const conv_shape *c, const conv_code *code, int winograd) {
	if (c->kh * c->kw > MAX_POSITIONS || c->oc % code->width)
		return 0;
	return !winograd || (c->kh == 3 && c->kw == 3 && c->sh == 1 && c->sw == 1 && c->pw >= 0 && c->ow + 2 >= c->pw + c->w);
}
