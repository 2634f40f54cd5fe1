"""Reference values for the objectives, JEM's chain and adversarial training.

Makes, with PyTorch in float64 on one thread and numpy's PCG64 for every number drawn,

    jem.npz                       one training step of JEM: where its chains end, their
                                  slopes, the loss and all gradients
    ../../testdata/objectives.npz the other objectives: terms, total, all gradients
    ../../train/testdata/pgd.npz        the ends of searches by projected gradient ascent

    python reference.py           (numpy 2.4.6 and torch 2.15.0 made the files here)

It draws weights, data and noise itself, rounds them to float32, and writes them as
float64 (labels as int64), in the layouts of this project: images [batch, height, width,
channels], kernels [height, width, in, out], linear weights [in, out]. "net:name" is a
weight; "case:name" is of one case. It also prints by how much PyTorch in float32 differs
from itself in float64, relative to the largest value of each array.
"""

import os

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
HERE = os.path.dirname(os.path.abspath(__file__))


class Draws:
    """Random numbers that float32 holds exactly, as float64."""

    def __init__(self, seed):
        self.rng = np.random.Generator(np.random.PCG64(seed))

    def normal(self, *shape):
        return torch.from_numpy(self.rng.standard_normal(shape).astype(np.float32).astype(np.float64))

    def uniform(self, low, high, *shape):
        return torch.from_numpy(self.rng.uniform(low, high, shape).astype(np.float32).astype(np.float64))

    def labels(self, classes, n):
        return torch.from_numpy(self.rng.integers(0, classes, n))


class MLP:
    """nets.MLP: SiLU between linear layers."""

    def __init__(self, draws, *widths):
        self.weights = {}
        for i, (a, b) in enumerate(zip(widths[:-1], widths[1:])):
            # Wider than PyTorch's start, so that no gradient is next to nothing.
            self.weights[f"fc{i}/weight"] = draws.normal(b, a) * (1.5 / a**0.5)
            self.weights[f"fc{i}/bias"] = draws.normal(b) * 0.3
        self.weights = {k: v.float().double() for k, v in self.weights.items()}

    def __call__(self, w, x):
        x = x.flatten(1)
        layers = len(w) // 2
        for i in range(layers):
            x = F.linear(x, w[f"fc{i}/weight"], w[f"fc{i}/bias"])
            if i < layers - 1:
                x = F.silu(x)
        return x


class ConvNet:
    """nets.ConvNet: 3x3 convolutions, strides 1, 2, 2 …, LeakyReLU .2, the mean over positions, a linear layer."""

    def __init__(self, draws, inputs, channels, classes):
        self.weights = {}
        for i, c in enumerate(channels):
            self.weights[f"conv{i}/weight"] = draws.normal(c, inputs, 3, 3) * (1.5 / (9 * inputs) ** 0.5)
            self.weights[f"conv{i}/bias"] = draws.normal(c) * 0.3
            inputs = c
        self.weights["linear/weight"] = draws.normal(classes, inputs) * (2 / inputs**0.5)
        self.weights["linear/bias"] = draws.normal(classes) * 0.3
        self.weights = {k: v.float().double() for k, v in self.weights.items()}

    def __call__(self, w, x):
        for i in range(len(w) // 2 - 1):
            x = F.leaky_relu(F.conv2d(x, w[f"conv{i}/weight"], w[f"conv{i}/bias"], stride=min(i + 1, 2), padding=1), 0.2)
        return F.linear(x.mean((2, 3)), w["linear/weight"], w["linear/bias"])


def here(t):
    """PyTorch's layout to this project's."""
    t = t.detach()
    if t.dim() == 4:  # a kernel, OIHW to HWIO
        return t.permute(2, 3, 1, 0).numpy()
    if t.dim() == 2:  # a linear weight
        return t.T.numpy()
    return t.numpy()


def images(t):
    """NCHW to NHWC; points as they are. Noise has the steps in front."""
    t = t.detach()
    if t.dim() >= 4:
        return t.movedim(-3, -1).numpy()
    return t.numpy()


class File:
    """Arrays by name, and how far float32 is from them."""

    def __init__(self):
        self.arrays, self.worst = {}, {}

    def put(self, name, value):
        value = np.array(value, order="C")
        self.arrays[name] = value if value.dtype == np.int64 else value.astype(np.float64)

    def results(self, case, compute):
        """compute(dtype) gives {name: array}; float64's are kept."""
        exact, single = compute(torch.float64), compute(torch.float32)
        for name, value in exact.items():
            self.put(f"{case}:{name}", value)
            scale = np.abs(value).max()
            if scale > 0:
                self.worst[case] = max(self.worst.get(case, 0), np.abs(single[name] - value).max() / scale)

    def save(self, path):
        np.savez_compressed(os.path.join(HERE, path), **{k.replace("/", "."): v for k, v in self.arrays.items()})
        print(path, {k: f"{v:.1e}" for k, v in self.worst.items()})


def energy(f):
    return f.logsumexp(1)


def of_class(f, y):
    return f.gather(1, y[:, None])[:, 0]


def norms(g):
    return g.flatten(1).norm(p=2, dim=1)


def to(w, dtype, grad=True):
    return {k: v.to(dtype).clone().requires_grad_(grad) for k, v in w.items()}


def gradients(loss, w):
    return {f"grad {k}": here(g) for k, g in zip(w, torch.autograd.grad(loss, list(w.values())))}


def chain(net, w, x, noise, step, deviation, y=None):
    """Stochastic gradient Langevin dynamics, noise given."""
    for n in noise:
        x = x.detach().requires_grad_(True)
        f = net(w, x)
        g = torch.autograd.grad((energy(f) if y is None else of_class(f, y)).sum(), x)[0]
        slope = norms(g)
        x = x + step * g + deviation * n
    return x.detach(), slope.detach()


def jem():
    out = File()
    draws = Draws(1)
    nets = {
        "mlp": (MLP(draws, 2, 32, 32, 3), 3, draws.normal(8, 2), draws.uniform(-1, 1, 8, 2)),
        "conv": (ConvNet(draws, 2, (4, 6, 8), 4), 4, draws.uniform(-1, 1, 6, 2, 8, 8), draws.uniform(-1, 1, 6, 2, 8, 8)),
    }
    for name, (net, classes, x, start) in nets.items():
        steps = 4
        y, others = draws.labels(classes, len(x)), draws.labels(classes, len(x))
        noise = draws.normal(steps, *x.shape)
        for k, v in net.weights.items():
            out.put(f"{name}:weight {k}", here(v))
        for k, v in {"x": x, "start": start, "noise": noise}.items():
            out.put(f"{name}:{k}", images(v))
        out.put(f"{name}:y", y.numpy())
        out.put(f"{name}:others", others.numpy())

        def run(conditional, joint, square, beta, gamma, dtype):
            step, deviation = 1.0, 0.01
            w = to(net.weights, dtype)
            end, slope = chain(net, to(net.weights, dtype, False), start.to(dtype), noise.to(dtype), step, deviation, others if conditional else None)
            x_ = x.to(dtype).requires_grad_(True)
            f, fs = net(w, x_), net(w, end)
            e, es = energy(f), energy(fs)
            terms = {"cross-entropy": F.cross_entropy(f, y), "energy variance": ((e - e.mean()) ** 2).mean()}
            loss = terms["cross-entropy"] + beta * terms["energy variance"]
            if gamma:
                terms["gradient norm"] = norms(torch.autograd.grad(e.sum(), x_, create_graph=True)[0]).mean()
                loss = loss + gamma * terms["gradient norm"]
            terms["energy gap"] = es.mean() - e.mean()
            loss = loss + terms["energy gap"]
            if joint:
                terms["joint energy gap"] = of_class(fs, others).mean() - of_class(f, y).mean()
                loss = loss + joint * terms["joint energy gap"]
            if square:
                terms["squared energy"] = (e**2).mean() + (es**2).mean()
                loss = loss + square * terms["squared energy"]
            result = {f"term {k}": v.detach().numpy() for k, v in terms.items()}
            return {"end": images(end), "slope": slope.numpy(), "term total": loss.detach().numpy()} | result | gradients(loss, w)

        for case, settings in {
            "plain": (False, 0, 0, 0, 0),
            "joint": (True, 0.5, 0, 0, 0),
            "square": (False, 0, 0.05, 0.1, 0.1),
        }.items():
            out.results(f"{name} {case}", lambda dtype: run(*settings, dtype))
    out.save("jem.npz")


def objectives():
    out = File()
    draws = Draws(2)
    net, classes, n = MLP(draws, 2, 16, 16, 3), 3, 12
    x, others, y, partner = draws.normal(n, 2), draws.uniform(-4, 4, n, 2), draws.labels(3, n), draws.labels(3, n)
    share = 0.3125  # exact in float32
    for k, v in net.weights.items():
        out.put(f"weight {k}", here(v))
    for k, v in {"x": x, "others": others, "y": y, "partner": partner, "share": torch.tensor(share)}.items():
        out.put(k, v.numpy())

    def focal(f, y, gamma):
        logp = of_class(F.log_softmax(f, 1), y)
        return (-((1 - logp.exp()) ** gamma) * logp).mean()

    def margin(f, fo, inner, outer):
        # Liu et al.'s energy is minus the logsumexp, and so are their margins.
        e_in, e_out = -energy(f), -energy(fo)
        return (F.relu(e_in - inner) ** 2).mean() + (F.relu(outer - e_out) ** 2).mean()

    def norm(f, x):
        return norms(torch.autograd.grad(energy(f).sum(), x, create_graph=True)[0]).mean()

    def variance(f):
        return energy(f).var(unbiased=False)

    cases = {
        "smoothing": lambda f, fo, x: F.cross_entropy(f, y, label_smoothing=0.1),
        "focal 1": lambda f, fo, x: focal(f, y, 1),
        "focal 2.5": lambda f, fo, x: focal(f, y, 2.5),
        "mixup": lambda f, fo, x: share * F.cross_entropy(f, y) + (1 - share) * F.cross_entropy(f, partner),
        "mixup smoothing": lambda f, fo, x: share * F.cross_entropy(f, y, label_smoothing=0.1) + (1 - share) * F.cross_entropy(f, partner, label_smoothing=0.1),
        "mixup focal": lambda f, fo, x: share * focal(f, y, 2) + (1 - share) * focal(f, partner, 2),
        "margin": lambda f, fo, x: F.cross_entropy(f, y) + 0.1 * margin(f, fo, -3.0, -1.0),
        "per dimension": lambda f, fo, x: F.cross_entropy(f, y) + 0.1 * variance(f) + 0.2 * 2**0.5 * norm(f, x),
        "ramp": lambda f, fo, x: F.cross_entropy(f, y) + 0.25 * (0.1 * variance(f) + 0.2 * norm(f, x)),
    }
    for name, case in cases.items():

        def run(dtype):
            w, x_ = to(net.weights, dtype), x.to(dtype).requires_grad_(True)
            loss = case(net(w, x_), net(w, others.to(dtype)), x_)
            return {"total": loss.detach().numpy()} | gradients(loss, w)

        out.results(name, run)

    # The focal loss where the softmax is sure: of the label, and of another class.
    sure = torch.tensor([[30.0, 0, 0], [-30.0, 0, 0], [4.0, -4, 0], [90.0, 0, 0], [-90.0, 0, 0]], dtype=torch.float64)
    out.put("sure", sure.numpy())
    for gamma in (1, 1.5, 2, 3):
        f = sure.clone().requires_grad_(True)
        loss = focal(f, torch.zeros(len(sure), dtype=torch.int64), gamma)
        out.put(f"sure {gamma}:total", loss.detach().numpy())
        out.put(f"sure {gamma}:grad", torch.autograd.grad(loss, f)[0].numpy())
    out.save("../../testdata/objectives.npz")


def pgd():
    out = File()
    draws = Draws(3)
    nets = {
        "points": (MLP(draws, 2, 16, 16, 3), 3, draws.normal(10, 2), 0.3, False),
        "images": (ConvNet(draws, 2, (4, 6), 4), 4, draws.uniform(-1, 1, 6, 2, 8, 8), 0.0625, True),
    }
    for name, (net, classes, x, epsilon, pixels) in nets.items():
        y = draws.labels(classes, len(x))
        for k, v in net.weights.items():
            out.put(f"{name}:weight {k}", here(v))
        out.put(f"{name}:x", images(x))
        out.put(f"{name}:y", y.numpy())
        wide = 2 if pixels else 1  # epsilon is a share of the pixel range, [-1,1]
        for norm, radius in {"linf": epsilon * wide, "l2": 4 * epsilon * wide}.items():
            size = radius / 4
            d = draws.uniform(-1, 1, *x.shape)
            if norm == "l2":
                d = d / d.flatten(1).norm(dim=1).reshape(-1, *[1] * (d.dim() - 1)) * 0.75
            start = (x + radius * d).float().double()
            if pixels:
                start = start.clamp(-1, 1)
            out.put(f"{name} {norm}:start", images(start))
            out.put(f"{name} {norm}:epsilon", np.array(radius / wide))
            out.put(f"{name} {norm}:step", np.array(size / wide))

            def run(dtype):
                w = to(net.weights, dtype, False)
                clean, adv = x.to(dtype), start.to(dtype)
                for _ in range(6):
                    adv = adv.detach().requires_grad_(True)
                    g = torch.autograd.grad(F.cross_entropy(net(w, adv), y), adv)[0]
                    each = lambda v: v.reshape(-1, *[1] * (x.dim() - 1))
                    if norm == "linf":
                        delta = (adv.detach() + size * g.sign() - clean).clamp(-radius, radius)
                    else:
                        delta = adv.detach() + size * g / (each(norms(g)) + 1e-10) - clean
                        delta = delta * (radius / each(norms(delta))).clamp(max=1)
                    adv = clean + delta
                    if pixels:
                        adv = adv.clamp(-1, 1)
                return {"end": images(adv), "loss": F.cross_entropy(net(w, adv), y).numpy(), "clean loss": F.cross_entropy(net(w, clean), y).numpy()}

            out.results(f"{name} {norm}", run)
    out.save("../../train/testdata/pgd.npz")


jem()
objectives()
pgd()
