"""Makes mapie.json: what MAPIE 1.6.0 (numpy 2.x, float64) says about the logits in
../../calibration/testdata. Calibration takes the first rows of each set, prediction the rest.

    pip install mapie==1.6.0 && python make_mapie.py
"""
import json

import mapie
import numpy as np
from mapie.classification import SplitConformalClassifier
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import StratifiedShuffleSplit

SEED = 7


class Probabilities(ClassifierMixin, BaseEstimator):
    """Takes its inputs for the probabilities of the classes."""

    def fit(self, X, y):
        self.classes_ = np.arange(X.shape[1])
        self.is_fitted_ = True
        return self

    def predict_proba(self, X):
        return X

    def predict(self, X):
        return X.argmax(axis=1)


cases = []
for name, held, shown in (("A_n5000_K10", 1000, 400), ("C_n37_K3_edge", 20, 17)):
    path = f"../../calibration/testdata/{name}"
    x = softmax(np.loadtxt(path + "_logits.csv", delimiter=","), axis=1)
    y = np.loadtxt(path + "_labels.csv", dtype=np.int64)
    for alpha in (0.1, 0.3):
        for score, last in (("lac", None), ("aps", "randomized"), ("aps", False), ("raps", False)):
            if score != "lac" and held < 100:  # too few for RAPS to choose a penalty; APS takes equal probabilities in another order
                continue
            c = SplitConformalClassifier(
                Probabilities().fit(x, y), confidence_level=1 - alpha, prefit=True, random_state=SEED, conformity_score=score)
            c.conformalize(x[:held], y[:held])
            params = {} if last is None else {"include_last_label": last}
            _, sets = c.predict_set(x[held:held + shown], conformity_score_params=params)
            s = c._mapie_classifier.conformity_score_function_
            case = {"data": name, "held": held, "method": score, "alpha": alpha, "randomized": last == "randomized",
                    "threshold": float(np.ravel(s.quantiles_)[0]),
                    "sets": ["".join(str(int(v)) for v in row) for row in sets[:, :, 0]]}
            if score == "raps":
                rest, _ = next(StratifiedShuffleSplit(1, test_size=s.size_raps, random_state=SEED).split(x[:held], y[:held]))
                case |= {"rows": rest.tolist(), "penalty": float(np.ravel(s.lambda_star)[0]), "rank": int(np.ravel(s.k_star)[0])}
            cases.append(case)
with open("mapie.json", "w") as f:
    json.dump({"mapie": mapie.__version__, "numpy": np.__version__, "seed": SEED, "cases": cases}, f)
