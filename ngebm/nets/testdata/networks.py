"""Logits, energies and gradients of networks by PyTorch: networks.json.

    python networks.py           (torch 2.15.0 made the file here)

Float64, one thread. Weights and images follow from sines (see wave), so that the test makes
them itself: the values of a weight, in this project's layout ([height, width, in, out], [in,
out]), begin at a phase that is the sum of the bytes of its name. For each network there are
the logits, the norms of dE/dx, the loss

    CE + b·Var[E] + b·mean ‖dE/dx‖     (b = .1; 0 for batch normalization)

and, of its gradient with respect to each weight, the largest size and the product with a
wave. "batch" networks are in training mode; "running" has their averages after the step
in the same two numbers, and "evaluated" the logits in evaluation mode after it. "+act first"
is ActNorm before its first batch; "after" has its weights as that batch sets them.
"""

import json
import math
import os

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
HERE = os.path.dirname(os.path.abspath(__file__))


def wave(phase, n):
    i = np.arange(n, dtype=np.float64)
    return np.sin(phase + 1.7 * i + 0.013 * i * i)


def make(name, dims):
    n = int(np.prod(dims))
    v = wave(sum(name.encode()), n)
    last = name.split("/")[-1]
    if len(dims) > 1:
        v = v * 1.5 / math.sqrt(n / dims[-1])
    elif last in ("weight", "scale", "running_var"):
        v = 1 + 0.3 * v
    elif last == "initialized":
        v = np.ones(n)
    else:
        v = 0.3 * v
    return torch.from_numpy(v.reshape(dims))


def measure(v):
    v = v.detach()
    flat = v.numpy().reshape(-1)
    return [float(np.abs(flat).max()), float(flat @ wave(0.5, flat.size))]


class Net:
    """Weights by name, made when first used, in this project's layouts."""

    def __init__(self, norm, act, first=False, momentum=0.1):
        self.w, self.norm, self.act, self.first, self.momentum = {}, norm, act, first, momentum
        self.training = True

    def get(self, name, dims, trained=True):
        if name not in self.w:
            self.w[name] = make(name, dims).requires_grad_(trained)
        return self.w[name]

    def conv(self, name, x, channels, size, stride, bias=True):
        w = self.get(name + "/weight", (size, size, x.shape[1], channels)).permute(3, 2, 0, 1)
        b = self.get(name + "/bias", (channels,)) if bias else None
        return F.conv2d(x, w, b, stride=stride, padding=size // 2)

    def linear(self, name, x, classes):
        return x @ self.get(name + "/weight", (x.shape[1], classes)) + self.get(name + "/bias", (classes,))

    def normalize(self, name, x):
        c = x.shape[1]
        if self.norm == "none":
            return x
        if self.norm == "act":
            loc, scale = self.get(name + "/loc", (c,)), self.get(name + "/scale", (c,))
            if self.first and not hasattr(loc, "set"):
                with torch.no_grad():
                    flat = x.permute(1, 0, 2, 3).reshape(c, -1)
                    loc.copy_(-flat.mean(1))
                    scale.copy_(1 / (flat.std(1) + 1e-6))
                loc.set = True
            return scale[:, None, None] * (x + loc[:, None, None])
        w, b = self.get(name + "/weight", (c,)), self.get(name + "/bias", (c,))
        if self.norm == "batch":
            mean, var = self.get(name + "/running_mean", (c,), False), self.get(name + "/running_var", (c,), False)
            return F.batch_norm(x, mean, var, w, b, self.training, self.momentum)
        return F.group_norm(x, {"layer": 1, "instance": c, "group": 8}[self.norm], w, b)

    def activate(self, x):
        return {"lrelu": lambda v: F.leaky_relu(v, 0.2), "relu": F.relu, "silu": F.silu, "gelu": F.gelu}[self.act](x)


def convnet(n, x):
    for i, c in enumerate([16, 16]):
        x = n.activate(n.normalize(f"norm{i}", n.conv(f"conv{i}", x, c, 3, min(i + 1, 2))))
    return n.linear("linear", x.mean((2, 3)), 3)


def wrn(n, x):  # wrn-10-1
    x = n.conv("conv1", x, 16, 3, 1)
    for stage in range(3):
        name, c, stride = f"layer{stage + 1}.0/", 16 << stage, 1 if stage == 0 else 2
        y = n.conv(name + "conv1", n.activate(n.normalize(name + "bn1", x)), c, 3, 1)
        y = n.conv(name + "conv2", n.activate(n.normalize(name + "bn2", y)), c, 3, stride)
        if stride != 1:
            x = n.conv(name + "shortcut", x, c, 1, stride)
        x = x + y
    return n.linear("linear", n.activate(n.normalize("bn1", x)).mean((2, 3)), 3)


def resnet(n, x):  # resnet-18-8
    bias = n.norm == "none"
    x = n.activate(n.normalize("bn1", n.conv("conv1", x, 8, 3, 1, bias)))
    for stage in range(4):
        for block in range(2):
            name, c, stride = f"layer{stage + 1}.{block}/", 8 << stage, 2 if stage and not block else 1
            y = n.activate(n.normalize(name + "bn1", n.conv(name + "conv1", x, c, 3, stride, bias)))
            y = n.normalize(name + "bn2", n.conv(name + "conv2", y, c, 3, 1, bias))
            if stride != 1:
                x = n.normalize(name + "shortcut_bn", n.conv(name + "shortcut", x, c, 1, stride, bias))
            x = n.activate(x + y)
    return n.linear("linear", x.mean((2, 3)), 3)


IMAGES = torch.from_numpy(wave(7, 4 * 8 * 8 * 3).reshape(4, 8, 8, 3)).permute(0, 3, 1, 2)
LABELS = torch.tensor([0, 1, 2, 0])


def case(build, n):
    x = IMAGES.clone().requires_grad_(True)
    b = 0 if n.norm == "batch" else 0.1
    f = build(n, x)
    e = f.logsumexp(1)
    slope = torch.autograd.grad(e.sum(), x, create_graph=True)[0].flatten(1).norm(p=2, dim=1)
    loss = F.cross_entropy(f, LABELS) + b * e.var(correction=0) + b * slope.mean()
    trained = {k: v for k, v in n.w.items() if v.requires_grad}
    grads = torch.autograd.grad(loss, list(trained.values()))
    out = {"logits": f.flatten().tolist(), "slopes": slope.tolist(), "loss": loss.item(),
           "gradients": {k: measure(g) for k, g in zip(trained, grads)}}
    if n.norm == "batch":
        out["running"] = {k: measure(v) for k, v in n.w.items() if not v.requires_grad}
        n.training = False
        out["evaluated"] = build(n, IMAGES).flatten().tolist()
    if n.first:
        out["after"] = {k: measure(v) for k, v in n.w.items() if k.split("/")[-1] in ("loc", "scale")}
    return out


cases = {}
for norm, act in [("layer", "silu"), ("group", "gelu"), ("instance", "lrelu"), ("act", "silu"), ("none", "relu"), ("batch", "lrelu")]:
    cases[f"convnet+{norm}+{act}"] = case(convnet, Net(norm, act))
cases["convnet+act+silu first"] = case(convnet, Net("act", "silu", first=True))
cases["wrn-10-1+group+silu"] = case(wrn, Net("group", "silu"))
cases["wrn-10-1+batch+lrelu"] = case(wrn, Net("batch", "lrelu", momentum=0.9))
cases["resnet-18-8+layer+gelu"] = case(resnet, Net("layer", "gelu"))
cases["resnet-18-8+none+silu"] = case(resnet, Net("none", "silu"))
cases["resnet-18-8+batch+relu"] = case(resnet, Net("batch", "relu"))
with open(os.path.join(HERE, "networks.json"), "w") as f:
    json.dump({"torch": torch.__version__.split("+")[0], "cases": cases}, f, indent=0)
    f.write("\n")
