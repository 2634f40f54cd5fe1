"""Runs ONNX files with ONNX Runtime.

Reads a list of {"model": file, "shape": [n, ...], "input": [numbers]} as JSON, and writes for each
the outputs' names, the numbers of each as one list, the metadata, and what onnx.checker says if
the package onnx is there.
"""

import json
import sys

import numpy
import onnxruntime

try:
    import onnx
except ImportError:
    onnx = None

results = []
for run in json.load(sys.stdin):
    if onnx is not None:
        onnx.checker.check_model(run["model"], full_check=True)
    session = onnxruntime.InferenceSession(run["model"], providers=["CPUExecutionProvider"])
    x = numpy.array(run["input"], numpy.float32).reshape(run["shape"])
    outputs = session.run(None, {"input": x})
    results.append({
        "names": [o.name for o in session.get_outputs()],
        "shapes": [list(o.shape) for o in outputs],
        "values": [o.ravel().astype(float).tolist() for o in outputs],
        "metadata": session.get_modelmeta().custom_metadata_map,
    })
json.dump(results, sys.stdout)
