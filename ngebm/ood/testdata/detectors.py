"""Writes detectors.json: scores by pytorch-ood, in double precision. Its detectors make float32
tensors, so that torch's default and Tensor.float are set to float64."""

import json

import numpy as np
import pytorch_ood
import sklearn
import torch
from pytorch_ood.detector import GEN, KNN, RMD, EnergyBased, Entropy, Mahalanobis, MaxLogit, MaxSoftmax, ReAct, ViM, fDBD

torch.set_default_dtype(torch.float64)
torch.Tensor.float = torch.Tensor.double

CLASSES, WIDTH = 4, 6


def case(seed, change):
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(CLASSES - 1).repeat(13), [CLASSES - 1]])  # the last class has one example
    centers = rng.normal(size=(CLASSES, WIDTH)) * 2
    # Steps of 1/4, so that distances tie.
    train = np.round(4 * (centers[labels] + rng.normal(size=(len(labels), WIDTH)))) / 4
    train[5] = train[4]  # twice the same example
    queries = np.round(4 * np.concatenate([centers + rng.normal(size=centers.shape), 3 * rng.normal(size=(6, WIDTH))])) / 4
    queries[0] = train[0]
    change(train)
    change(queries)
    weight = np.round(8 * rng.normal(size=(CLASSES, WIDTH))) / 8
    bias = np.round(8 * rng.normal(size=CLASSES)) / 8
    z, y, q, w, b = (torch.tensor(v) for v in (train, labels, queries, weight, bias))
    head = torch.nn.Linear(WIDTH, CLASSES)
    head.weight.data, head.bias.data = w, b
    f = head(q).detach()
    fitted = {
        "kNN 1": KNN(None, k=1), "kNN 5": KNN(None, k=5), "MDS": Mahalanobis(None), "RMDS": RMD(None),
        "ViM 2": ViM(None, 2, w, b), "ViM 3": ViM(None, 3, w, b), "fDBD": fDBD(None, head),
    }
    scores = {name: d.fit_features(z, y).predict_features(q) for name, d in fitted.items()}
    react = ReAct(None, head, percentile=.9)
    react.fit_feature_maps(z, y)
    scores["ReAct 90"] = react.predict_feature_maps(q)
    scores |= {"px": EnergyBased.score(f), "py": MaxSoftmax.score(f), "max_logit": MaxLogit.score(f), "entropy": Entropy.score(f), "GEN": GEN.score(f)}
    return {
        "features": train.tolist(), "labels": labels.tolist(), "weight": weight.T.tolist(), "bias": bias.tolist(), "queries": queries.tolist(),
        "scores": {name: s.tolist() for name, s in scores.items()},
    }


def collinear(x):
    x[:, 5] = x[:, 0] - x[:, 2]


def constant(x):
    x[:, 1] = 1.5


versions = f"pytorch-ood {pytorch_ood.__version__}, torch {torch.__version__}, scikit-learn {sklearn.__version__}, float64"
cases = {"random": case(1, lambda x: None), "collinear": case(2, collinear), "constant": case(3, constant)}
with open("detectors.json", "w") as out:
    parts = ",\n".join(f'"{name}": {json.dumps(c)}' for name, c in cases.items())
    out.write(f'{{"versions": "{versions}", "cases": {{\n{parts}\n}}}}\n')
