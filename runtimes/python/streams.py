"""Standard output and error as a session sees them: every write goes out at once, and the end of a program is exact."""

import ctypes
import io
import os
import sys

_libc = ctypes.CDLL(None)


class _LiveFile(io.RawIOBase):
    """Writes all bytes of every write to a descriptor, at once."""

    def __init__(self, fd, name):
        self._fd = fd
        self.name = name
        self.mode = "wb"

    def writable(self):
        return True

    def fileno(self):
        return self._fd

    def isatty(self):
        return False

    def write(self, data):
        view = memoryview(data).cast("B")
        size = len(view)
        while view:
            view = view[os.write(self._fd, view) :]
        return size


def _live_text(fd, name):
    # write_through hands each text to the file without keeping any of it back.
    return io.TextIOWrapper(_LiveFile(fd, name), encoding="utf-8", errors="backslashreplace", write_through=True)


class Streams:
    """Descriptors 1 and 2, with copies of our own that a program cannot close by mistake."""

    def __init__(self):
        self._own = {1: os.dup(1), 2: os.dup(2)}
        sys.stdout = sys.__stdout__ = _live_text(1, "<stdout>")
        sys.stderr = sys.__stderr__ = _live_text(2, "<stderr>")

    def end(self, marker):
        """Sends what buffers still hold, then the marker that no output of this program comes after."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:  # noqa: BLE001 - the program may have put anything there
                pass
        _libc.fflush(None)
        for own in self._own.values():
            view = memoryview(marker)
            while view:
                view = view[os.write(own, view) :]
        for fd, own in self._own.items():
            os.dup2(own, fd, inheritable=True)
        if getattr(sys.stdout, "closed", False):
            sys.stdout = _live_text(1, "<stdout>")
        if getattr(sys.stderr, "closed", False):
            sys.stderr = _live_text(2, "<stderr>")
        if getattr(sys.stdin, "closed", False):
            sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - lives as long as the process
