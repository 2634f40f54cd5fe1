"""Prints what measure_files_test.go expects of the files here, with pandas 3.1.1, numpy 2.4.6,
scipy 1.17.1 and scikit-learn 1.9.1. The files are as pandas writes them, by to_csv(f) and
to_csv(f, index=False)."""
import numpy as np, pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import accuracy_score, roc_auc_score


def ece(p, y, bins=15):
    confidence, right = p.max(1), p.argmax(1) == y
    at = np.clip(np.ceil(confidence * bins) - 1, 0, bins - 1)
    return sum((at == b).mean() * abs(right[at == b].mean() - confidence[at == b].mean()) for b in np.unique(at))


for name, index, header in ("pandas_default_header", None, 0), ("pandas_index_column", 0, None):
    x = pd.read_csv(name + "_logits.csv", index_col=index).values
    y = pd.read_csv(name + "_labels.csv", header=header).values[:, 0]
    nll = lambda t: -log_softmax(x / t, 1)[np.arange(len(y)), y].mean()
    t = minimize_scalar(nll, bounds=(.05, 5), method="bounded", options={"xatol": 1e-9}).x
    print(name, len(y), accuracy_score(y, x.argmax(1)), ece(softmax(x, 1), y), ece(softmax(x, 1), y, 10), t)
scores = [pd.read_csv(f"pandas_default_header_scores_{n}.csv").values[:, 0] for n in ("in", "out")]
print(roc_auc_score([1] * len(scores[0]) + [0] * len(scores[1]), np.concatenate(scores)))
