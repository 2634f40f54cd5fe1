"""Writes wine.csv, breast_cancer.csv and sklearn.json beside it: python make.py"""
import csv
import os

from sklearn.datasets import load_breast_cancer, load_wine

here = os.path.dirname(os.path.abspath(__file__))
for name, load in (("wine", load_wine), ("breast_cancer", load_breast_cancer)):
    d = load()
    with open(os.path.join(here, name + ".csv"), "w", newline="") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow([*d.feature_names, "class"])
        for row, label in zip(d.data.tolist(), d.target):
            w.writerow([*row, d.target_names[label]])
