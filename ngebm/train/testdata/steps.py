"""Weights after training steps of PyTorch: steps.json.

    python steps.py           (torch 2.15.0 made the file here)

Everything is computed in float64 on one thread. The network is a multilayer perceptron,
2-6-3 with SiLU; its weights and the batch follow from sines (see wave), rounded to
float32, so that the test makes them itself. A linear weight is [in, out] there.
"cases" has, for each configuration as ngebm.Config.Set takes it, the loss before each of
three steps on one batch, and all weights after the first and after the third, in the
order fc0.bias, fc0.weight, fc1.bias, fc1.weight. "losses" has the loss and the gradient of
all weights, for outliers and random directions that are waves, too.
"""

import json
import os

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
HERE = os.path.dirname(os.path.abspath(__file__))
RATE = 0.05


def wave(phase, scale, *shape):
    i = np.arange(int(np.prod(shape)), dtype=np.float64)
    return torch.from_numpy((scale * np.sin(phase + 1.7 * i)).astype(np.float32).astype(np.float64).reshape(shape))


X = wave(5, 1.5, 8, 2)
Y = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])


def start():
    w = [wave(1, 0.3, 6), wave(2, 0.9, 2, 6), wave(3, 0.3, 3), wave(4, 0.9, 6, 3)]
    return [v.clone().requires_grad_(True) for v in w]


def logits(w, x):
    return F.silu(x @ w[1] + w[0]) @ w[3] + w[2]


def ng_ebm(w, beta=0.1, gamma=0.1):
    x = X.clone().requires_grad_(True)
    f = logits(w, x)
    e = f.logsumexp(1)
    slope = torch.autograd.grad(e.sum(), x, create_graph=True)[0].norm(p=2, dim=1).mean()
    return F.cross_entropy(f, Y) + beta * e.var(correction=0) + gamma * slope


def steps(loss, make, clip=None):
    w = start()
    optimizer = make(w)
    losses, after = [], []
    for _ in range(3):
        optimizer.zero_grad()
        value = loss(w)
        value.backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(w, clip)
        optimizer.step()
        losses.append(value.item())
        after.append(torch.cat([v.detach().flatten() for v in w]).tolist())
    return {"losses": losses, "first": after[0], "third": after[2]}


def adam(**kw):
    return lambda w: torch.optim.Adam(w, lr=RATE, betas=(0.9, 0.999), eps=1e-8, **kw)


def adamw(**kw):
    return lambda w: torch.optim.AdamW(w, lr=RATE, **kw)


def sgd(**kw):
    return lambda w: torch.optim.SGD(w, lr=RATE, **kw)


OPTIMIZERS = {
    "": (adam(), None),
    "weight_decay=.01": (adam(weight_decay=0.01), None),
    "optimizer=adamw": (adamw(), None),
    "optimizer=adamw,weight_decay=.2": (adamw(weight_decay=0.2), None),
    "optimizer=sgd": (sgd(), None),
    "optimizer=sgd,momentum=.9": (sgd(momentum=0.9), None),
    "optimizer=sgd,momentum=.9,nesterov=true,weight_decay=.1": (sgd(momentum=0.9, nesterov=True, weight_decay=0.1), None),
    "optimizer=sgd,clip_norm=.1": (sgd(), 0.1),
    "optimizer=sgd,momentum=.9,weight_decay=.1,clip_norm=.1": (sgd(momentum=0.9, weight_decay=0.1), 0.1),
    "clip_norm=.1,weight_decay=.01": (adam(weight_decay=0.01), 0.1),
    "optimizer=sgd,clip_norm=1000": (sgd(), 1000),
}

cases = {}
for name, (make, clip) in OPTIMIZERS.items():
    cases[("beta=.1,gamma=.1," + name).strip(",")] = steps(ng_ebm, make, clip)

OUTLIERS = wave(6, 3, 8, 2)
DIRECTIONS = F.normalize(wave(7, 1, 8, 3), dim=1)


def ce(f, **kw):
    return F.cross_entropy(f, Y, **kw)


def logitnorm(f, t=0.04, **kw):  # Wei et al.'s LogitNormLoss
    return ce(f / (f.norm(p=2, dim=1, keepdim=True) + 1e-7) / t, **kw)


def input_gradient(f, x, weight, **kw):
    own = F.cross_entropy(f, Y, reduction="none", **kw)
    return weight * torch.autograd.grad(own.sum(), x, create_graph=True)[0].norm(p=2, dim=1).mean()


def jacobian(f, x, weight):  # Hoffman et al.'s JacobianReg with n = 1
    v = torch.autograd.grad(f, x, DIRECTIONS, create_graph=True)[0]
    return weight * 0.5 * f.shape[1] * v.norm() ** 2 / f.shape[0]


def exposure(f):  # Hendrycks et al.'s
    return 0.5 * -(f.mean(1) - f.logsumexp(1)).mean()


CONTROLS = {
    "beta=.1": lambda w, x, f: ce(f) + 0.1 * f.logsumexp(1).var(correction=0),
    "gamma=.1": lambda w, x, f: ng_ebm(w, 0, 0.1),
    "z_loss=.1": lambda w, x, f: ce(f) + 0.1 * (f.logsumexp(1) ** 2).mean(),
    "input_gradient=.1": lambda w, x, f: ce(f) + input_gradient(f, x, 0.1),
    "input_gradient=.1,label_smoothing=.2": lambda w, x, f: ce(f, label_smoothing=0.2) + input_gradient(f, x, 0.1, label_smoothing=0.2),
    "logitnorm=.04": lambda w, x, f: logitnorm(f),
    "logitnorm=.5,label_smoothing=.1": lambda w, x, f: logitnorm(f, 0.5, label_smoothing=0.1),
    "jacobian=.01": lambda w, x, f: ce(f) + jacobian(f, x, 0.01),
    "margin.outliers=far away,margin.exposure=.5": lambda w, x, f: ce(f) + exposure(logits(w, OUTLIERS)),
}


def with_input(loss):
    def build(w):
        x = X.clone().requires_grad_(True)
        return loss(w, x, logits(w, x))

    return build


losses = {}
for name, loss in CONTROLS.items():
    w = start()
    value = with_input(loss)(w)
    value.backward()
    losses[name] = {"loss": value.item(), "gradient": torch.cat([v.grad.flatten() for v in w]).tolist()}
    if "jacobian" not in name and "margin" not in name:
        cases["optimizer=sgd," + name] = steps(with_input(loss), sgd())
with open(os.path.join(HERE, "steps.json"), "w") as f:
    json.dump({"torch": torch.__version__.split("+")[0], "cases": cases, "losses": losses}, f, indent=0)
    f.write("\n")
