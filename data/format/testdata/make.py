"""Makes the files beside it: python make.py FOLDER"""
import gzip
import os
import struct
import sys

import numpy as np
import scipy.io
from safetensors.numpy import save_file

folder = sys.argv[1]
at = lambda name: os.path.join(folder, name)

# SVHN in little: 4 images of 2x3 pixels, of which pixel h, w has h+10w+50c+n.
h, w, c, n = np.ogrid[:2, :3, :3, :4]
X = (h + 10 * w + 50 * c + n).astype(np.uint8)
y = np.array([[1], [10], [3], [10]], dtype=np.float64)
scipy.io.savemat(at("svhn.mat"), {"X": X, "y": y}, do_compression=True)
scipy.io.savemat(at("plain.mat"), {
    "X": X, "y": y, "half": np.array([[0.5, -1.5]]),
    "long": np.arange(3, dtype=np.int64), "flag": np.array([[True, False]]),
})

a = np.arange(6).reshape(2, 3)
np.save(at("u1.npy"), a.astype("u1"))
np.save(at("i2-big.npy"), (a - 3).astype(">i2"))
np.save(at("f8-fortran.npy"), np.asfortranarray(a / 2.0))
np.save(at("f4.npy"), np.float32([1, 2, -3]))
np.save(at("bool.npy"), np.array([[True, False]]))
np.save(at("scalar.npy"), np.int64(7))
for v in 2, 3:
    with open(at(f"v{v}.npy"), "wb") as f:
        np.lib.format.write_array(f, a.astype("<i8"), version=(v, 0))
np.savez(at("stored.npz"), x=a.astype("u1"), y=np.arange(2))
np.savez_compressed(at("deflated.npz"), x=a.astype("u1"), y=np.arange(2))

with gzip.GzipFile(at("images.idx.gz"), "wb", mtime=0) as f:
    f.write(struct.pack(">IIII", 0x803, 2, 2, 3) + bytes(range(12)))

save_file({
    "conv.weight": np.arange(12, dtype=np.float32).reshape(2, 3, 2) - 6,
    "bias": np.array([0.5, -1.25]), "steps": np.array(7), "mask": np.array([[True, False]]),
}, at("small.safetensors"), metadata={"format": "np"})
