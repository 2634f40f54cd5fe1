"""Derivatives of strided convolutions up to the third order, from JAX.

    python reference.py           (jax 0.10.2 and numpy 2.4.6 made strided.npz)

With S = <a, sin C(x, w)>, order k has the 2^k scalars <ds/dx, p_k> and <ds/dw, q_k> of the
scalars s of order k-1. JAX works in float64 on its CPU. Kernels are stored as a transposed
view of PyTorch's layout [out, in, height, width], so that NumPy writes those of 1x1 in
Fortran order.
"""

import os

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np

ORDERS = 3
CASES = {  # size, channels in and out, kernel, strides, padding
    "1x1 stride 2": ((6, 6), (2, 3), (1, 1), (2, 2), ((0, 0), (0, 0))),
    "1x1 strides 2 and 3": ((5, 7), (3, 2), (1, 1), (2, 3), ((0, 0), (0, 0))),
    "1x1 stride 2 padded": ((5, 4), (2, 4), (1, 1), (2, 2), ((1, 0), (1, 1))),
    "3x3 stride 2": ((6, 5), (2, 3), (3, 3), (2, 2), ((1, 1), (1, 1))),
}

rng = np.random.Generator(np.random.PCG64(19))
arrays = {}
for name, (size, (inputs, outputs), kernel, strides, padding) in CASES.items():

    def convolve(x, w):
        return jax.lax.conv_general_dilated(x, w, strides, padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))

    def draw_kernel():
        return rng.standard_normal((outputs, inputs, *kernel)).transpose(2, 3, 1, 0)

    x, w = rng.standard_normal((2, *size, inputs)), draw_kernel()
    a = rng.standard_normal(convolve(x, w).shape)
    directions = [(rng.standard_normal(x.shape), draw_kernel()) for _ in range(ORDERS)]

    level = [lambda x, w: jnp.sum(a * jnp.sin(convolve(x, w)))]
    scalars = list(level)
    for p, q in directions:
        level = [f for s in level for f in (
            lambda x, w, s=s, p=p: jnp.sum(jax.grad(s, 0)(x, w) * p),
            lambda x, w, s=s, q=q: jnp.sum(jax.grad(s, 1)(x, w) * q))]
        scalars += level

    arrays |= {f"{name}:x": x, f"{name}:w": w, f"{name}:a": a}
    for k, (p, q) in enumerate(directions):
        arrays |= {f"{name}:p{k}": p, f"{name}:q{k}": q}
    arrays[f"{name}:strides"], arrays[f"{name}:padding"] = np.array(strides), np.array(padding)
    arrays[f"{name}:y"] = np.asarray(convolve(x, w))
    arrays[f"{name}:scalars"] = np.array([s(x, w) for s in scalars])

np.savez_compressed(os.path.join(os.path.dirname(os.path.abspath(__file__)), "strided.npz"), **arrays)
