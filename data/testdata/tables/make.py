"""Writes wine.csv and breast_cancer.csv next to it, and mlp.json: what scikit-learn's
MLPClassifier reaches on them in five folds (row i is tested in fold i % 5).

python make.py
"""
import csv
import json
import os
import warnings

import numpy as np
import sklearn
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

here = os.path.dirname(os.path.abspath(__file__))
warnings.simplefilter("ignore")  # it says that 40 epochs do not converge
settings = dict(hidden_layer_sizes=(64,), activation="relu", solver="adam", alpha=0, batch_size=32, learning_rate_init=1e-3, max_iter=40)
seeds = [1, 2, 3]


def ece(p, y, bins=15):
    """Expected calibration error: bins of equal width (lo,hi], mean confidence."""
    confidence, right = p.max(1), p.argmax(1) == y
    bin = np.ceil(confidence * bins).clip(1)
    return sum(abs(right[bin == b].mean() - confidence[bin == b].mean()) * (bin == b).mean() for b in np.unique(bin))


figures = {"scikit-learn": sklearn.__version__, "MLPClassifier": settings, "seeds": seeds}
for name, load in (("wine", load_wine), ("breast_cancer", load_breast_cancer)):
    d = load()
    with open(os.path.join(here, name + ".csv"), "w", newline="") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow([*d.feature_names, "class"])
        for row, label in zip(d.data.tolist(), d.target):
            w.writerow([*row, d.target_names[label]])
    fold = np.arange(len(d.target)) % 5
    accuracy, errors = [], []
    for seed in seeds:
        p = np.zeros((len(d.target), len(d.target_names)))
        for k in range(5):
            scale = StandardScaler().fit(d.data[fold != k])
            m = MLPClassifier(random_state=seed, **settings).fit(scale.transform(d.data[fold != k]), d.target[fold != k])
            p[fold == k] = m.predict_proba(scale.transform(d.data[fold == k]))
        accuracy.append(round(float((p.argmax(1) == d.target).mean()), 4))
        errors.append(round(float(ece(p, d.target)), 4))
    figures[name] = {"accuracy": accuracy, "ECE": errors}
with open(os.path.join(here, "mlp.json"), "w") as f:
    json.dump(figures, f, indent=1)
    f.write("\n")
