"""The Python interpreter of a session: one process that runs programs for the agent, one after the other.

The agent speaks over descriptor 3 (see control.py):

    to the kernel   {"op": "run", "source": …, "marker": …}   {"op": "environment", "variables": {…}}
    to the agent    {"event": "ready"}  {"event": "began"}  {"event": "value", "forms": [[media type, text], …]}
                    {"event": "ended", "error": {…} or null}  {"event": "done"}

Output is not among them: it goes through the pipes at descriptors 1 and 2, and after a program's last byte the marker
comes through both. SIGINT, sent after "began", raises KeyboardInterrupt in the program; it does nothing otherwise.
"""

import contextlib
import gc
import importlib
import os
import shutil
import sys
import traceback

from control import Control
from errors import exit_code_of, program_error
from interrupts import Interrupts
from shell import Shell
from streams import Streams

CONTROL_FD = 3
# matplotlib wants a directory it can write; the image has the list of fonts that takes seconds to make.
FONT_LIST = "/opt/codemesh/matplotlib"
# What takes long to import. It is imported while nothing is to be done; none of the names are in the namespace.
PRELOADED = ["numpy", "pandas", "matplotlib", "matplotlib.pyplot"]
# After so long without a message, seconds, the agent is taken to want nothing for now.
QUIET_S = 0.02


class Kernel:
    def __init__(self, control):
        self._control = control
        self._process = os.getpid()
        self._interrupts = Interrupts()
        self._streams = Streams()
        self._shell = Shell()

    def serve(self):
        """Does as the agent asks until it is gone."""
        self._control.send({"event": "ready"})
        self._preload()
        while (message := self._control.receive()) is not None:
            if message["op"] == "run":
                self._run(message)
            elif message["op"] == "environment":
                os.environ.update(message["variables"])
                self._control.send({"event": "done"})

    def _preload(self):
        """Until the session's first message: what a session is charged for is what its programs do."""
        while PRELOADED and not self._control.waiting(QUIET_S):
            with contextlib.suppress(Exception):
                importlib.import_module(PRELOADED.pop(0))
            if not PRELOADED:
                # These modules stay; the collector need not look at them again and again.
                gc.collect()
                gc.freeze()

    def _run(self, message):
        try:
            exit_code, error = self._interrupts.run(lambda: self._program(message["source"]))
        except BaseException as failure:  # noqa: BLE001 - an interrupt at the very end, or a handler of the program's own
            exit_code, error = 1, program_error(failure)
        if os.getpid() != self._process:
            self._leave_child(exit_code, error)
        self._streams.end(message["marker"].encode())
        self._control.send({"event": "ended", "error": error})

    def _program(self, source):
        self._interrupts.shield(lambda: self._control.send({"event": "began"}))
        error = self._shell.run(source, self._send_value)
        return exit_code_of(error), None if error is None else program_error(error)

    def _send_value(self, forms):
        self._interrupts.shield(lambda: self._control.send({"event": "value", "forms": forms}))

    def _leave_child(self, exit_code, error):
        """Ends a process that the program forked and let run to the program's end, as plain Python would."""
        self._streams.flush()
        if error is not None and error["name"] != "SystemExit":
            os.write(2, error["traceback"].encode("utf-8", "replace"))
        os._exit(exit_code & 0xFF)


def _be_killed_first():
    """When the sandbox is out of memory the program has to go, not the agent."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")


def _take_font_list():
    directory = os.environ.get("MPLCONFIGDIR")
    if directory and os.path.isdir(FONT_LIST):
        with contextlib.suppress(OSError):
            shutil.copytree(FONT_LIST, directory, dirs_exist_ok=True, copy_function=shutil.copyfile)


def main():
    _be_killed_first()
    _take_font_list()
    kernel = Kernel(Control(CONTROL_FD))
    sys.argv = [""]
    sys.path[0] = ""
    # A program that has an `errors.py` of its own gets that one.
    for name in ("control", "errors", "interrupts", "lean_ipython", "shell", "streams"):
        del sys.modules[name]
    try:
        kernel.serve()
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
        os._exit(1)
    # Threads of programs do not keep it.
    os._exit(0)


main()
