"""Arrays in both of NumPy's orders: python orders.py (numpy 2.4.6 made orders.npz)."""

import os

import numpy as np

c = np.arange(24.0).reshape(2, 3, 4)
np.savez(
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "orders.npz"),
    c=c,
    fortran=np.asfortranarray(c),  # the same array
    kernel=np.arange(6.0).reshape(3, 2, 1, 1).transpose(2, 3, 1, 0),  # a 1x1 kernel [out, in, 1, 1] as [1, 1, in, out]
    labels=np.array([2, 0, 1]),
    scalar=np.array(1.5),
)
