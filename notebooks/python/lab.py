"""Runs JupyterLab until its standard input is closed, so that no server
outlives the program that started it, however that one ended.

    python lab.py ARGUMENTS-OF-JUPYTER-LAB
"""

import os
import signal
import sys
import threading

from jupyterlab.labapp import main


def leash():
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


leashed = threading.Thread(target=leash, daemon=True)
leashed.start()
sys.exit(main())
