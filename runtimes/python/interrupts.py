"""SIGINT raises KeyboardInterrupt in a program that runs, and nowhere else.

A signal may come at any time: before the program's first line, while a message is half sent, just after its last line. In
our own code it must not raise, or a session would lose its interpreter to it.
"""

import signal


class Interrupts:
    def __init__(self):
        self._armed = False
        self._shielded = False
        self._missed = False
        signal.signal(signal.SIGINT, self._on_signal)

    def run(self, program):
        """Calls `program`, which KeyboardInterrupt can leave while it runs; never raises one after that."""
        try:
            self._armed = True
            return program()
        finally:
            self._armed = False
            # A program may have put a handler of its own there.
            signal.signal(signal.SIGINT, self._on_signal)

    def shield(self, work):
        """Calls `work` without interrupting it; an interrupt that came meanwhile is raised after it."""
        self._shielded = True
        try:
            work()
        finally:
            self._shielded = False
        if self._missed:
            self._missed = False
            raise KeyboardInterrupt

    def _on_signal(self, _number, frame):
        # In the frame of `run` itself the program has not begun or is over.
        if not self._armed or frame.f_code is Interrupts.run.__code__:
            return
        if self._shielded:
            self._missed = True
            return
        raise KeyboardInterrupt
