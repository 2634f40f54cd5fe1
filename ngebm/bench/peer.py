"""The work of `ngebm bench` in PyTorch, JAX or ONNX Runtime, on the weights and examples of an NPZ file.

Run by the command with a task as JSON. It prints one line of JSON when it is ready, with the fastest way to
do the work if the task names none. For each line "N" on its standard input it then does the work N times and
prints another line: seconds and results.
"""
import json, sys, time
import numpy as np

task = json.loads(sys.argv[1])
row, net, classes, steps = task["row"], task["net"].split("-"), task["classes"], task["pgd_steps"]
inputs = np.load(task["inputs"])
x0, y0 = inputs["x"], inputs["y"].astype(np.int64)
weights = {k: inputs[k] for k in inputs.files if k not in "xy"}
steps_per_call = task["steps_per_call"] if task["steps_row"] else 1
calls = task["calls"]  # of the work in one measurement
half = task["precision"] == "bfloat16" and task["steps_row"]
RATE, EPSILON, SGLD = 1e-4, 8 / 255 * 2, 20  # pixels lie in [-1,1]


def forward(o, p, x):
    """The logits, by the operations o of one of the two libraries."""
    if net[0] == "mlp":
        act = o.lrelu if net[1] == "lrelu" else o.silu
        n = len(net) - 1 - (net[1] == "lrelu")
        x = x.reshape(x.shape[0], -1)
        for i in range(n):
            x = act(o.dense(p, f"fc{i}", x))
        return o.dense(p, f"fc{n}", x)
    if net[0] == "convnet":
        for i in range(3):
            x = o.lrelu(o.conv(p, f"conv{i}", x, min(i + 1, 2), 1))
        return o.dense(p, "linear", o.mean(x))
    x = o.conv(p, "conv1", x, 1, 1)
    for stage in range(3):
        for block in range((int(net[1]) - 4) // 6):
            name, stride = f"layer{stage+1}.{block}", 2 if stage and not block else 1
            y = o.conv(p, name + "/conv1", o.lrelu(x), 1, 1)
            y = o.conv(p, name + "/conv2", o.lrelu(y), stride, 1)
            x = y + (o.conv(p, name + "/shortcut", x, stride, 0) if name + "/shortcut/weight" in p else x)
    return o.dense(p, "linear", o.mean(o.lrelu(x)))


def parts(n, batch):
    return [(i, min(i + batch, n)) for i in range(0, n, batch)]


def best(make, choices):
    """The fastest of several ways to do the work, by the least of a few times of each: the work, the way's
    name, and which ways failed. If the task names the way, no other takes memory in this process."""
    if task["way"] or len(choices) == 1:
        name = task["way"] or list(choices)[0]
        return make(*choices[name]), name, []
    works, times, failed = {}, {}, []
    for name, settings in choices.items():
        try:
            works[name] = make(*settings)
            timed(works[name])  # compiles
            took = [timed(works[name])]
            if took[0] < 2:  # else a few more would take long
                took += [timed(works[name]) for _ in range(3)]
            times[name] = min(took)
        except Exception as e:
            if name == list(choices)[-1] and not times:
                raise
            failed.append(f"{name}: {type(e).__name__}: {' '.join(str(e).split())[:200]}")
    name = min(times, key=times.get)
    return works[name], name, failed


def timed(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def torch_work():
    import torch
    choices = {"eager": (False, False)} if net[0] == "mlp" else {"NCHW": (False, False), "channels_last": (True, False)}
    if row != "NG-EBM":  # which is differentiated twice: torch.compile knows no second derivatives
        choices |= {(name + ", compiled").replace("eager, ", ""): (last, True) for name, (last, _) in choices.items()}
    device = torch.cuda.get_device_name() if task["device"] == "cuda" else f"{torch.get_num_threads()} threads"
    return f"PyTorch {torch.__version__}", device, *best(torch_variant, choices)


def torch_variant(channels_last, compiled):
    import torch, torch.nn.functional as F
    device = "cuda" if task["device"] == "cuda" else "cpu"
    images = net[0] != "mlp"

    def tensor(v, order):
        v = torch.from_numpy(np.ascontiguousarray(v.transpose(order))).to(device)
        return v.contiguous(memory_format=torch.channels_last) if channels_last and v.ndim == 4 else v

    class o:
        lrelu = staticmethod(lambda v: F.leaky_relu(v, 0.2))
        silu = staticmethod(F.silu)
        mean = staticmethod(lambda v: v.mean((2, 3)))
        dense = staticmethod(lambda p, n, v: F.linear(v, p[n + "/weight"], p[n + "/bias"]))
        conv = staticmethod(lambda p, n, v, s, pad: F.conv2d(v, p[n + "/weight"], p[n + "/bias"], stride=s, padding=pad))

    order = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}
    p = {k: tensor(v.copy(), order[v.ndim]).requires_grad_() for k, v in weights.items()}
    x = tensor(x0, (0, 3, 1, 2) if images else tuple(range(x0.ndim)))
    y = torch.from_numpy(y0).to(device)

    def f(v):
        with torch.autocast(device, torch.bfloat16, enabled=half):
            return forward(o, p, v).float()

    if compiled:
        f = torch.compile(f)
    adam = torch.optim.Adam(p.values(), lr=RATE, betas=(0.9, 0.999), eps=1e-8)

    def slope(v):
        v = v.detach().requires_grad_()
        return v, torch.autograd.grad(f(v).logsumexp(1).sum(), v)[0]

    def loss():
        if row == "cross-entropy":
            return F.cross_entropy(f(x), y)
        if row == "NG-EBM":
            v = x.detach().requires_grad_()
            l = f(v)
            e = l.logsumexp(1)
            g = torch.autograd.grad(e.sum(), v, create_graph=True)[0]
            return F.cross_entropy(l, y) + ((e - e.mean()) ** 2).mean() + g.flatten(1).norm(dim=1).mean()
        chain = torch.empty_like(x).uniform_(-1, 1)
        freeze(False)
        for _ in range(SGLD):
            _, g = slope(chain)
            chain = chain + g + 0.01 * torch.randn_like(chain)
        freeze(True)
        l = f(x)
        return F.cross_entropy(l, y) + f(chain.detach()).logsumexp(1).mean() - l.logsumexp(1).mean()

    def freeze(on):
        for w in p.values():
            w.requires_grad_(on)

    def step():
        l = loss()
        adam.zero_grad()
        l.backward()
        adam.step()
        return l.item()

    def several():
        for _ in range(steps_per_call):
            l = step()
        return l

    def evaluate():
        sums = 0.0
        for a, b in parts(len(x), task["batch"]):
            v, labels = x[a:b], y[a:b]
            if row == "logits" or calls > 1:
                with torch.no_grad():
                    sums += f(v).logsumexp(1).sum().item()
            elif row == "gradient norms":
                sums += slope(v)[1].flatten(1).norm(dim=1).sum().item()
            else:
                low, high = (v - EPSILON).clamp(min=-1), (v + EPSILON).clamp(max=1)
                with torch.no_grad():
                    labels = f(v).argmax(1)
                at = v
                for _ in range(steps):
                    at = at.detach().requires_grad_()
                    g = torch.autograd.grad(F.cross_entropy(f(at), labels, reduction="sum"), at)[0]
                    at = torch.minimum(torch.maximum(at + 0.1 * EPSILON * g.sign(), low), high)
                with torch.no_grad():
                    sums += (f(at).argmax(1) == labels).sum().item()
        return sums / len(x)

    if not task["steps_row"]:
        freeze(False)
    return several if task["steps_row"] else evaluate


def jax_work():
    import os
    os.environ.setdefault("JAX_PLATFORMS", "cuda" if task["device"] == "cuda" else "cpu")
    import jax
    choices = {"jitted": (False,)} if net[0] == "mlp" else {"NHWC": (False,), "NCHW": (True,)}
    return f"JAX {jax.__version__}", str(jax.devices()[0]), *best(jax_variant, choices)


def jax_variant(channels_first):
    import jax, jax.numpy as jnp
    from jax import lax
    layout = ("NCHW", "OIHW", "NCHW") if channels_first else ("NHWC", "HWIO", "NHWC")
    spread = (lambda b: b[:, None, None]) if channels_first else (lambda b: b)
    ours = lambda v, order: jnp.asarray(v.transpose(order) if channels_first and v.ndim == 4 else v)

    class o:
        lrelu = staticmethod(lambda v: jnp.where(v >= 0, v, 0.2 * v))
        silu = staticmethod(jax.nn.silu)
        mean = staticmethod(lambda v: v.mean((2, 3) if channels_first else (1, 2)))
        dense = staticmethod(lambda p, n, v: v @ p[n + "/weight"] + p[n + "/bias"])
        conv = staticmethod(lambda p, n, v, s, pad: lax.conv_general_dilated(
            v, p[n + "/weight"], (s, s), ((pad, pad), (pad, pad)), dimension_numbers=layout) + spread(p[n + "/bias"]))

    def f(p, v):
        if half:
            p, v = jax.tree.map(lambda w: w.astype(jnp.bfloat16), p), v.astype(jnp.bfloat16)
        return forward(o, p, v).astype(jnp.float32)

    energy = lambda p, v: jax.nn.logsumexp(f(p, v), 1)
    slope = lambda p, v: jax.grad(lambda q: energy(p, q).sum())(v)
    norm = lambda g: jnp.sqrt((g.reshape(len(g), -1) ** 2).sum(1))
    ce = lambda l, y: -jnp.take_along_axis(jax.nn.log_softmax(l, 1), y[:, None], 1)[:, 0]
    x, y = ours(x0, (0, 3, 1, 2)), jnp.asarray(y0.astype(np.int32))

    def loss(p, x, y, chain):
        l = f(p, x)
        e = jax.nn.logsumexp(l, 1)
        c = ce(l, y).mean()
        if row == "cross-entropy":
            return c
        if row == "NG-EBM":
            return c + ((e - e.mean()) ** 2).mean() + norm(slope(p, x)).mean()
        return c + energy(p, chain).mean() - e.mean()

    def adam(s, x, y, chain):
        p, m, v, t = s
        l, g = jax.value_and_grad(loss)(p, x, y, chain)
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        a, b = 1 - 0.9 ** t, 1 - 0.999 ** t
        return (jax.tree.map(lambda p, m, v: p - RATE * (m / a) / (jnp.sqrt(v / b) + 1e-8), p, m, v), m, v, t), l

    p = {k: ours(v, (3, 2, 0, 1)) for k, v in weights.items()}
    zeros = jax.tree.map(jnp.zeros_like, p)
    state = [(p, zeros, jax.tree.map(jnp.zeros_like, p), jnp.zeros(()))]
    key = [jax.random.PRNGKey(0)]
    scanned = lambda s, x, y, chain: lax.scan(lambda s, _: adam(s, x, y, chain), s, length=steps_per_call)
    jitted = jax.jit(adam if steps_per_call == 1 else scanned, donate_argnums=0)
    climb = jax.jit(lambda p, c, k: c + slope(p, c) + 0.01 * jax.random.normal(k, c.shape, c.dtype))

    def step():
        chain = x
        if row == "JEM":
            key[0], k = jax.random.split(key[0])
            chain = jax.random.uniform(k, x.shape, x.dtype, -1, 1)
            for _ in range(SGLD):
                key[0], k = jax.random.split(key[0])
                chain = climb(state[0][0], chain, k)
        state[0], l = jitted(state[0], x, y, chain)
        return float(l if steps_per_call == 1 else l[-1])

    def attack(p, v):
        labels = f(p, v).argmax(1)
        low, high = jnp.maximum(v - EPSILON, -1), jnp.minimum(v + EPSILON, 1)
        return labels, low, high

    prepare, logits = jax.jit(attack), jax.jit(energy)
    push = jax.jit(lambda p, a, labels, low, high: jnp.clip(
        a + 0.1 * EPSILON * jnp.sign(jax.grad(lambda q: ce(f(p, q), labels).sum())(a)), low, high))
    norms, right = jax.jit(lambda p, v: norm(slope(p, v))), jax.jit(lambda p, v, labels: f(p, v).argmax(1) == labels)

    def evaluate():
        sums = 0.0
        for a, b in parts(len(x), task["batch"]):
            v = x[a:b]
            if row == "logits" or calls > 1:
                sums += float(logits(p, v).sum())
            elif row == "gradient norms":
                sums += float(norms(p, v).sum())
            else:
                labels, low, high = prepare(p, v)
                at = v
                for _ in range(steps):
                    at = push(p, at, labels, low, high)
                sums += float(right(p, at, labels).sum())
        return sums / len(x)

    return step if task["steps_row"] else evaluate


def onnxruntime_work():
    import onnxruntime
    session = onnxruntime.InferenceSession(task["inputs"] + ".onnx", providers=["CPUExecutionProvider"])

    def evaluate():
        return sum(float(session.run(["energy"], {"input": x0[a:b]})[0].sum()) for a, b in parts(len(x0), task["batch"])) / len(x0)

    return f"ONNX Runtime {onnxruntime.__version__}", "CPU", evaluate, "", []


def peak():
    """The most memory that this process has had, in MiB; 0 where the system does not say."""
    try:
        with open("/proc/self/status") as s:
            return next(int(l.split()[1]) / 1024 for l in s if l.startswith("VmHWM"))
    except OSError:
        return 0


name, where, work, way, failed = {"torch": torch_work, "jax": jax_work, "onnxruntime": onnxruntime_work}[task["library"]]()
print(json.dumps({"name": name, "where": where, "way": way, "failed": failed}), flush=True)
for line in sys.stdin:
    seconds, results = [], []
    for _ in range(int(line)):
        began = time.perf_counter()
        for _ in range(calls):
            value = work()
        results.append(value)
        seconds.append((time.perf_counter() - began) / (steps_per_call * calls))
    print(json.dumps({"seconds": seconds, "results": results, "peak": peak()}), flush=True)
