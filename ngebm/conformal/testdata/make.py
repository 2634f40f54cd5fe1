"""Makes torchcp.json: what TorchCP 1.2.1 (torch 2.x, float64) says about the logits in
../../calibration/testdata. Calibration takes the first rows of each set, prediction the rest.

    pip install torchcp==1.2.1 scipy && python make.py
"""
import json
import sys

import numpy as np

from unittest.mock import MagicMock

# Parts of TorchCP that are not used here need these.
for other in ("torchsort", "transformers", "torchcp.graph", "torchcp.llm"):
    sys.modules[other] = MagicMock()
import scipy
import torch
from scipy.stats import beta
from torchcp.classification.predictor import ClassConditionalPredictor, SplitPredictor
from torchcp.classification.score import APS, LAC, RAPS

SEED = 7
cases = []
for name, held, shown in (("A_n5000_K10", 1000, 400), ("C_n37_K3_edge", 20, 17)):
    path = f"../../calibration/testdata/{name}"
    logits = torch.tensor(np.loadtxt(path + "_logits.csv", delimiter=","), dtype=torch.float64)
    labels = torch.tensor(np.loadtxt(path + "_labels.csv", dtype=np.int64))
    for alpha in (0.1, 0.3):
        for options, score, predictor in (
            ({"method": "lac"}, LAC(), SplitPredictor),
            ({"method": "lac", "per_class": True}, LAC(), ClassConditionalPredictor),
            ({"method": "aps"}, APS(randomized=False), SplitPredictor),
            ({"method": "aps", "randomized": True}, APS(randomized=True), SplitPredictor),
            ({"method": "raps", "penalty": 0.0625, "rank": 2}, RAPS(randomized=False, penalty=0.0625, kreg=2), SplitPredictor),
            ({"method": "raps", "penalty": 0.0625, "rank": 2, "randomized": True}, RAPS(randomized=True, penalty=0.0625, kreg=2), SplitPredictor),
        ):
            if name.startswith("C") and predictor is ClassConditionalPredictor and alpha < 0.3:
                continue  # too few of a class
            p = predictor(score_function=score, alpha=alpha, device=torch.device("cpu"))
            torch.manual_seed(SEED)
            p.calculate_threshold(logits[:held], labels[:held])
            q = np.atleast_1d(np.asarray(p.q_hat, dtype=np.float64)).tolist()
            torch.manual_seed(SEED + 1)
            sets = p.predict_with_logits(logits[held:held + shown]).numpy().astype(int)
            cases.append(dict(options, alpha=alpha) | {"data": name, "held": held, "thresholds": q, "sets": ["".join(map(str, row)) for row in sets]})

bounds = [[k, n, d, 1.0 if k == n else float(beta.ppf(1 - d, k + 1, n - k))] for n in (1, 10, 109, 5000) for k in (0, 1, n // 3, n) for d in (0.05, 0.007) if k <= n]
json.dump({"seed": SEED, "torch": torch.__version__.split("+")[0], "torchcp": "1.2.1", "scipy": scipy.__version__, "cases": cases, "bounds": bounds}, open("torchcp.json", "w"), indent=0)
