"""The Python interpreter of a session: one process that runs cells for the agent, one after the other.

The agent speaks over descriptor 3, each message its length (4 bytes, big-endian) and JSON:

    to the kernel   {"op": "run", "source": …, "marker": …}   {"op": "environment", "variables": {…}}
    to the agent    {"event": "ready"}  {"event": "began"}  {"event": "value", "forms": [[media type, text], …]}
                    {"event": "ended", "error": {…} or null}  {"event": "done"}

Output is not among them: it goes through the pipes at descriptors 1 and 2, and after a program's last byte the marker
comes through both. SIGINT raises KeyboardInterrupt in a running program and does nothing otherwise.
"""

import importlib
import json
import os
import shutil
import signal
import socket
import struct
import sys

from errors import program_error
from shell import Shell, is_program_file
from streams import Streams

CONTROL_FD = 3
# What takes long to import, imported before the session begins; none of the names are in its namespace.
FONT_LIST = "/opt/codemesh/matplotlib"
PRELOADED = ("numpy", "pandas", "matplotlib", "matplotlib.pyplot")


class Control:
    """The connection to the agent."""

    def __init__(self, fd):
        os.set_inheritable(fd, False)
        self._socket = socket.socket(fileno=fd)
        self._socket.setblocking(True)

    def send(self, message):
        body = json.dumps(message).encode()
        self._socket.sendall(struct.pack(">I", len(body)) + body)

    def receive(self):
        """The next message, or None when the agent has gone."""
        head = self._exactly(4)
        body = head and self._exactly(struct.unpack(">I", head)[0])
        return body and json.loads(body)

    def _exactly(self, size):
        parts = []
        while size:
            part = self._socket.recv(min(size, 1 << 20))
            if not part:
                return None
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


class Kernel:
    def __init__(self, control):
        self._control = control
        self._streams = Streams()
        _ignore_interrupts()
        self._shell = Shell()
        for name in PRELOADED:
            try:
                importlib.import_module(name)
            except ImportError:
                pass

    def serve(self):
        self._control.send({"event": "ready"})
        while (message := self._control.receive()) is not None:
            if message["op"] == "run":
                self._run(message)
            elif message["op"] == "environment":
                os.environ.update(message["variables"])
                self._control.send({"event": "done"})

    def _run(self, message):
        error = None
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._control.send({"event": "began"})
            error = self._shell.run(message["source"], self._send_value)
        except KeyboardInterrupt as interrupt:
            error = program_error(interrupt, is_program_file)
        _ignore_interrupts()
        self._streams.end(message["marker"].encode())
        self._control.send({"event": "ended", "error": error})

    def _send_value(self, forms):
        self._control.send({"event": "value", "forms": forms})


def _ignore_interrupts():
    while True:
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            return
        except KeyboardInterrupt:
            # One that came in the program's last moment; it is over now.
            continue


def _take_font_list():
    """matplotlib wants a directory it can write; the image has the list of fonts that takes seconds to make."""
    directory = os.environ.get("MPLCONFIGDIR")
    if directory and os.path.isdir(FONT_LIST):
        shutil.copytree(FONT_LIST, directory, dirs_exist_ok=True, copy_function=shutil.copyfile)


def main():
    _take_font_list()
    sys.argv = [""]
    # A program that has an `errors.py` of its own gets that one.
    for name in ("errors", "shell", "streams"):
        del sys.modules[name]
    sys.path[0] = ""
    Kernel(Control(CONTROL_FD)).serve()


main()
