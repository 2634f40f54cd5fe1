"""Weights and logits of the authors' Wide ResNet, by PyTorch.

Makes beside it

    wrn-10-1.npz   a state_dict as the authors of JEM and of NG-EBM have it: a network f
                   whose own last layer is not used, and on its features the heads
                   class_output (the logits) and energy_output (not used either)
    logits.npz     x, images [n, height, width, channels] in [-1, 1]; logits, in float64

    python reference.py    (numpy 2.4.6 and torch 2.15.0 made the files here)

The network is written here from the paper's words: no normalisation, biases everywhere,
LeakyReLU .2 before each convolution of a block, the stride on its second convolution,
1x1 shortcuts where shapes differ, the mean over 8x8 positions. Weights are rounded to 5
bits after the point of their mantissa, so that the file is small.
"""

import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)
HERE = os.path.dirname(os.path.abspath(__file__))


class Block(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, padding=1)
        self.conv2 = nn.Conv2d(after, after, 3, stride=stride, padding=1)
        same = stride == 1 and before == after
        self.shortcut = nn.Sequential(*([] if same else [nn.Conv2d(before, after, 1, stride=stride)]))

    def forward(self, x):
        y = self.conv1(F.leaky_relu(x, 0.2))
        return self.conv2(F.leaky_relu(y, 0.2)) + self.shortcut(x)


class Features(nn.Module):
    def __init__(self, depth, width, classes):
        super().__init__()
        n, before = (depth - 4) // 6, 16
        self.conv1 = nn.Conv2d(3, before, 3, padding=1)
        for stage in range(3):
            after, blocks = 16 * width << stage, []
            for i in range(n):
                blocks.append(Block(before, after, 2 if stage > 0 and i == 0 else 1))
                before = after
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.linear = nn.Linear(before, classes)
        self.last = before

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return F.avg_pool2d(F.leaky_relu(x, 0.2), 8).flatten(1)


class Model(nn.Module):
    def __init__(self, depth, width, classes):
        super().__init__()
        self.f = Features(depth, width, classes)
        self.energy_output = nn.Linear(self.f.last, 1)
        self.class_output = nn.Linear(self.f.last, classes)

    def forward(self, x):
        return self.class_output(self.f(x))


def rounded(values):
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.round(mantissa * 32) / 32, exponent).astype(np.float32)


def main():
    rng = np.random.Generator(np.random.PCG64(9))
    model = Model(10, 1, 10).double()
    state = {}
    for name, value in model.state_dict().items():
        fan_in = value[0].numel() if value.dim() > 1 else 16
        # Wide enough that logits differ by some units.
        state[name] = rounded(rng.standard_normal(tuple(value.shape)) * (1.5 / fan_in) ** 0.5)
    model.load_state_dict({k: torch.from_numpy(v).double() for k, v in state.items()})
    x = rng.integers(-64, 65, (2, 32, 32, 3)) / 64
    with torch.no_grad():
        logits = model(torch.from_numpy(x).permute(0, 3, 1, 2)).numpy()
        single = model.float()(torch.from_numpy(x).float().permute(0, 3, 1, 2)).double().numpy()
    np.savez_compressed(os.path.join(HERE, "wrn-10-1.npz"), **state)
    np.savez_compressed(os.path.join(HERE, "logits.npz"), x=x, logits=logits)
    print(logits)
    print("PyTorch in float32 differs by", np.abs(single - logits).max())


if __name__ == "__main__":
    main()
