"""Loads weights that torchweights.Write wrote, and writes PyTorch's logits.

Reads a list of {"network": name, "weights": file, "shape": [n, ...], "input": [numbers]} as JSON
and writes a list of logits for each, as one list of numbers.
"""

import json
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file

from reference import Features


class WideResNet(Features):
    def forward(self, x):
        return self.linear(super().forward(x.permute(0, 3, 1, 2)))


class MLP(nn.Module):
    def __init__(self, widths):
        super().__init__()
        for i, (before, after) in enumerate(zip(widths, widths[1:])):
            setattr(self, f"fc{i}", nn.Linear(before, after))
        self.layers = len(widths) - 1

    def forward(self, x):
        x = x.flatten(1)
        for i in range(self.layers):
            x = getattr(self, f"fc{i}")(x if i == 0 else F.silu(x))
        return x


class ConvNet(nn.Module):
    def __init__(self, before, classes):
        super().__init__()
        self.conv0 = nn.Conv2d(before, 16, 3, padding=1)
        self.conv1 = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, stride=2, padding=1)
        self.linear = nn.Linear(64, classes)

    def forward(self, x):
        x = x.permute(0, 3, 1, 2)
        for conv in (self.conv0, self.conv1, self.conv2):
            x = F.leaky_relu(conv(x), 0.2)
        return self.linear(x.mean((2, 3)))


models = {"wrn-10-1": lambda: WideResNet(10, 1, 10), "mlp-7-5": lambda: MLP([24, 7, 5, 10]), "convnet": lambda: ConvNet(1, 10)}
results = []
for run in json.load(sys.stdin):
    model = models[run["network"]]()
    model.load_state_dict(load_file(run["weights"]))
    with torch.no_grad():
        results.append(model(torch.tensor(run["input"]).reshape(run["shape"])).flatten().tolist())
json.dump(results, sys.stdout)
