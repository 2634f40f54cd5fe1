"""Runs cells of a Go kernel over and over, as one long day with a notebook does.

    python endure.py UNCHANGED CHANGED EVERY

Standard input holds a list of cells that are run first, and after every restart. Of the
executions UNCHANGED are of one cell as it was and CHANGED of one that differs each time,
evenly mixed. Among them a cell is interrupted in its middle and the kernel is restarted,
by turns idle and in the middle of a cell. After every EVERY executions a line of JSON on
standard output tells what there is: executions so far, files and folders below $TMPDIR,
processes below this one, and the resident memory of these and of this one, in bytes.
"""

import json
import os
import queue
import sys
import time
import uuid

from jupyter_client import KernelManager

PATIENCE = 180
SLACK = 8 << 20  # bytes that a kernel's memory may differ by from one look to the next
SLEEPS = '%%\nfmt.Println("asleep")\ntime.Sleep(time.Minute)'


class Endurance:
    def __init__(self, first):
        self.first = first
        self.restarts = self.interrupts = 0
        self.first_state = None  # what there was when it was first looked
        # Named as Jupyter's server does it, for the kernel finds its id in the name.
        file = os.path.join(os.environ["JUPYTER_RUNTIME_DIR"], f"kernel-{uuid.uuid4()}.json")
        self.manager = KernelManager(kernel_name="gonb", connection_file=file)
        self.manager.start_kernel(extra_arguments=["-raw_error=true"])
        self.connect()

    def connect(self):
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)
        for code in self.first:
            self.run(code)

    def run(self, code, want=None):
        said = []
        hook = lambda m: said.append(str(m["content"].get("text", "")) + "".join(m["content"].get("traceback", [])))
        reply = self.client.execute_interactive(code, timeout=PATIENCE, output_hook=hook)
        text = "".join(said)
        if reply["content"]["status"] != "ok" or want and want not in text:
            sys.exit(f"a cell failed: {code!r} said {text!r} {reply['content']}")

    def asleep(self):
        """Starts a cell and returns when its program runs."""
        self.client.execute(SLEEPS)
        end = time.monotonic() + PATIENCE
        while "asleep" not in str(self.client.get_iopub_msg(timeout=PATIENCE)["content"].get("text", "")):
            if time.monotonic() > end:
                sys.exit("the cell that sleeps did not start")

    def interrupt(self):
        self.asleep()
        # GoNB loses an interrupt that comes just after it has started the program (0.11.5
        # listens for it only then). Like a person, ask again.
        reply, end = None, time.monotonic() + PATIENCE
        while reply is None:
            if time.monotonic() > end:
                sys.exit("an interrupted cell did not end")
            self.manager.interrupt_kernel()
            try:
                reply = self.client.get_shell_msg(timeout=10)
            except queue.Empty:
                pass
        if reply["content"]["status"] == "ok":
            sys.exit("an interrupted cell said that all is well")
        self.interrupts += 1

    def restart(self):
        if self.restarts % 2:
            self.asleep()
        self.client.stop_channels()
        self.manager.restart_kernel()
        self.restarts += 1
        self.connect()

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel()


def processes():
    parents = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                parents[int(pid)] = int(f.read().rpartition(")")[2].split()[1])
        except OSError:
            pass  # it has ended meanwhile
    family, grown = {os.getpid()}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family, grown = family | more, bool(more)
    return family - {os.getpid()}


def memory(pid):
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def look():
    """Files and folders below $TMPDIR, processes below this one, and their resident memory."""
    walked = list(os.walk(os.environ["TMPDIR"]))
    family, kernel = processes(), 0
    for pid in family:
        try:
            kernel += memory(pid)
        except OSError:
            pass  # it has ended meanwhile
    return sum(len(f) for _, _, f in walked), sum(len(d) for _, d, _ in walked), len(family), kernel


def settled(first):
    """The least of each in 1 s, for pipes may just be removed and a compiler may just end; or in
    10 s where one of them is more than at first."""
    least = None
    for looks in range(40):
        now = look()
        least = now if least is None else tuple(map(min, least, now))
        grown = first is not None and (any(a > b for a, b in zip(least, first[:3])) or least[3] > first[3] + SLACK)
        if looks >= 3 and not grown:
            break
        time.sleep(0.25)
    return least


def state(e, done):
    files, folders, count, kernel = least = settled(e.first_state)
    e.first_state = e.first_state or least
    return {
        "done": done, "files": files, "folders": folders, "processes": count,
        "kernel": kernel, "driver": memory(os.getpid()),
        "restarts": e.restarts, "interrupts": e.interrupts,
    }


def main():
    unchanged, changed, every = map(int, sys.argv[1:])
    total = unchanged + changed
    e = Endurance(json.load(sys.stdin))
    try:
        for done in range(1, total + 1):
            if done * changed // total > (done - 1) * changed // total:
                e.run(f'%%\nfmt.Println("number", {done})', f"number {done}")
            else:
                e.run('%%\nfmt.Println("as ever")', "as ever")
            if done % every == every // 3:
                e.interrupt()
            if done % (2 * every) == every:
                e.restart()
            if done % every == 0:
                print(json.dumps(state(e, done)), flush=True)
    finally:
        e.end()


main()
