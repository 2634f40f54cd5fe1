"""Executes one notebook cell by cell and says so in JSON lines.

    python execute.py NOTEBOOK RESULT

Each line on standard output is one event:
    {"event": "cells", "total": n}                 n code cells will run
    {"event": "start", "cell": i, "line": "..."}   cell i (from 1) begins
    {"event": "end", "cell": i, "outputs": [...]}  cell i is done
    {"event": "saved"}                             RESULT holds the notebook
    {"event": "fatal", "message": "..."}           no cell can run any more

Whoever started this checks the outputs and keeps the time; when that process
closes our standard input, or ends, this one shuts the kernel down and ends.
It stays until then, so that what cells left running can be traced to it: on
Linux orphans become its children.
"""

import asyncio
import ctypes
import hashlib
import json
import os
import signal
import sys
import threading

# jsonschema checks IRIs with this package where it is installed. Notebooks hold no IRIs, and importing it
# builds a parser from a grammar: two seconds of each start.
sys.modules["rfc3987_syntax"] = None

import nbformat
from nbclient import NotebookClient


# Events have a separate file, which kernels do not inherit.
events = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def say(**event):
    events.write(json.dumps(event) + "\n")
    events.flush()


def leash(stop):
    while os.read(0, 4096):
        pass
    stop()


def first_line(source):
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    return lines[0] if lines else ""


def code_hash(nb):
    """Identifies the code that outputs are of; Document.CodeHash in Go has the same."""
    digest = hashlib.sha256()
    for cell in nb.cells:
        if cell.cell_type == "code":
            source = cell.source.encode(errors="surrogatepass")
            digest.update(f"{len(source)} ".encode() + source)
    return digest.hexdigest()[:12]


def adopt_orphans():
    if sys.platform == "linux":
        PR_SET_CHILD_SUBREAPER = 36
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


async def run(path, result):
    nb = nbformat.read(path, as_version=4)
    cells = [(i, c) for i, c in enumerate(nb.cells) if c.cell_type == "code" and c.source.strip()]
    for cell in nb.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    say(event="cells", total=len(cells))
    client = NotebookClient(
        nb,
        kernel_name="gonb",
        timeout=None,  # whoever started us keeps the time
        allow_errors=True,  # and checks the outputs
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        extra_arguments=["-raw_error=true"],  # errors as text: there is no one to hover over them
        resources={"metadata": {"path": os.path.dirname(os.path.abspath(path))}},
    )
    async with client.async_setup_kernel():
        for number, (index, cell) in enumerate(cells, 1):
            say(event="start", cell=number, line=first_line(cell.source))
            await client.async_execute_cell(cell, index, execution_count=number)
            say(event="end", cell=number, outputs=cell.outputs)
    # The kernel reports its Go release, which would change the file on every update.
    nb.metadata.language_info = {"name": "go", "file_extension": ".go", "mimetype": "text/x-go", "pygments_lexer": "go"}
    nb.metadata.ngebm = {**nb.metadata.get("ngebm", {}), "code": code_hash(nb)}
    nbformat.write(nb, result)
    say(event="saved")
    await asyncio.Event().wait()  # for our standard input to be closed


async def main():
    adopt_orphans()
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(run(sys.argv[1], sys.argv[2]))
    stop = lambda: loop.call_soon_threadsafe(task.cancel)
    threading.Thread(target=leash, args=(stop,), daemon=True).start()
    loop.add_signal_handler(signal.SIGTERM, stop)
    try:
        await task
    except asyncio.CancelledError:
        return 1
    except Exception as err:  # whatever it was, whoever started us has to name it
        say(event="fatal", message=f"{type(err).__name__}: {err}")
        return 1
    return 0


sys.exit(asyncio.run(main()))
