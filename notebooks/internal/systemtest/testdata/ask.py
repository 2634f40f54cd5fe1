"""Asks the Go kernel what an editor would, and answers in JSON.

    python ask.py [CONNECTION-FILE]

It asks a kernel that runs already, or starts one.
Standard input holds a list of requests, each {"ask": KIND, "code": TEXT, "want": TEXT}:
    "execute"   runs the code; the answer is what it printed and the error's text
    "complete"  the names that may follow the end of the code
    "inspect"   the documentation of what stands at the end of the code
An answer to the last two that does not hold what is wanted is asked for again for two minutes:
gopls has to read the packages first. Standard output gets the list of answers.
"""

import json
import os
import re
import sys
import time
import uuid

from jupyter_client import BlockingKernelClient, KernelManager

PATIENCE = 120


def execute(client, code):
    said = []

    def keep(message):
        content = message["content"]
        said.append(content.get("text", ""))
        said.extend(content.get("traceback", []))
        said.extend(str(v) for v in content.get("data", {}).values())

    client.execute_interactive(code, timeout=PATIENCE, output_hook=keep)
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(said))


def complete(client, code):
    content = client.complete(code, len(code), reply=True, timeout=PATIENCE)["content"]
    return "\n".join(content.get("matches", []))


def inspect(client, code):
    content = client.inspect(code, len(code), reply=True, timeout=PATIENCE)["content"]
    return "\n".join(str(v) for v in content.get("data", {}).values())


def insist(ask, client, request):
    end = time.monotonic() + PATIENCE
    while True:
        answer = ask(client, request["code"])
        if request["want"] in answer or time.monotonic() > end:
            return answer
        time.sleep(1)


def start():
    # Named as Jupyter's server does it, for the kernel finds its id in the name.
    file = os.path.join(os.environ["JUPYTER_RUNTIME_DIR"], f"kernel-{uuid.uuid4()}.json")
    manager = KernelManager(kernel_name="gonb", connection_file=file)
    manager.start_kernel(extra_arguments=["-raw_error=true"])
    return manager.client(), manager.shutdown_kernel  # in good order, or gopls would be left


def connect(file):
    client = BlockingKernelClient(connection_file=file)
    client.load_connection_file()
    return client, lambda: None


def main():
    client, end = connect(sys.argv[1]) if len(sys.argv) > 1 else start()
    client.start_channels()
    answers = []
    try:
        client.wait_for_ready(timeout=PATIENCE)
        for request in json.load(sys.stdin):
            if request["ask"] == "execute":
                answers.append(execute(client, request["code"]))
            else:
                answers.append(insist({"complete": complete, "inspect": inspect}[request["ask"]], client, request))
    finally:
        client.stop_channels()
        end()
    json.dump(answers, sys.stdout)


main()
