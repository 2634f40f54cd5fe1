"""Runs JupyterLab until its standard input is closed, so that no server
outlives the program that started it, however that one ended.

    python lab.py ARGUMENTS-OF-JUPYTER-LAB
"""

import os
import signal
import sys
import threading
import time

# jsonschema checks IRIs with this package where it is installed. Notebooks hold no IRIs, and importing it
# builds a parser from a grammar: two seconds of each start.
sys.modules["rfc3987_syntax"] = None

import jupyter_core.paths

# Neither settings nor extensions of another Jupyter, which are there for the whole machine.
jupyter_core.paths.SYSTEM_CONFIG_PATH.clear()
jupyter_core.paths.SYSTEM_JUPYTER_PATH.clear()

from jupyterlab.labapp import main  # noqa: E402


def leash():
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    # Python waits for threads that are no daemons. One of AnyIO's waits for work without end if the event loop ended
    # before it, which was seen once in some hundred ends.
    time.sleep(30)
    os._exit(1)


def keep_language(model, **_):
    """Saves a Go notebook with the words on its language that execute.py stores. The
    kernel's own have the release of Go in them, so that to open and to save would change
    the file."""
    if model["type"] == "notebook" and model.get("content"):
        metadata = model["content"]["metadata"]
        if metadata.get("language_info", {}).get("name") == "go":
            metadata["language_info"] = {"name": "go", "file_extension": ".go", "mimetype": "text/x-go", "pygments_lexer": "go"}


leashed = threading.Thread(target=leash, daemon=True)
leashed.start()
sys.exit(main())
