#include "microkernels_linux_amd64.h"
#include <string.h>

// 12 of 16 registers, and 24 of 32, hold sums.

#define LANES 8
#define PIXELS 6
#define TARGET "avx2,fma"
#include "microkernels_loops_linux_amd64.h"

#define LANES 16
#define PIXELS 12
#define TARGET "avx512f"
#include "microkernels_loops_linux_amd64.h"

static int widest = 8;

void microkernels_use(int lanes) { widest = lanes; }

const microkernels *microkernels_for(int oc) {
	return widest >= 16 && oc % microkernels16.width == 0 ? &microkernels16 : &microkernels8;
}

int microkernels_fit(const conv_shape *c, const microkernels *code, int winograd) {
	if (c->kh * c->kw > MAX_POSITIONS || c->oc % code->width)
		return 0;
	return !winograd || (c->kh == 3 && c->kw == 3 && c->sh == 1 && c->sw == 1 && c->pw >= 0 && c->ow + 2 >= c->pw + c->w);
}
