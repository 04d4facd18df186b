"""Standard output and error as a session sees them: every write goes out at once, and the end of a program is exact."""

import contextlib
import ctypes
import fcntl
import io
import os
import sys

from control import private_copy

# More than the default 64 KiB, so that a program and its reader wait for each other less often.
PIPE_BYTES = 256 << 10

_libc = ctypes.CDLL(None)
_IONBF = 2


class _LiveFile(io.RawIOBase):
    """Writes all bytes of every write to a descriptor, at once."""

    mode = "wb"

    def __init__(self, fd, name):
        self._fd = fd
        self.name = name

    def writable(self):
        return True

    def fileno(self):
        return self._fd

    def isatty(self):
        return False

    def write(self, data):
        size = os.write(self._fd, data)
        if size < len(data):
            view = memoryview(data).cast("B")
            while size < len(view):
                size += os.write(self._fd, view[size:])
        return size


def _live_text(fd, name):
    # write_through hands each text to the file without keeping any of it back.
    return io.TextIOWrapper(_LiveFile(fd, name), encoding="utf-8", errors="backslashreplace", write_through=True)


class Streams:
    """Descriptors 1 and 2, with copies of our own that a program cannot close by mistake."""

    def __init__(self):
        self._own = {1: private_copy(1), 2: private_copy(2)}
        sys.stdout = sys.__stdout__ = _live_text(1, "<stdout>")
        sys.stderr = sys.__stderr__ = _live_text(2, "<stderr>")
        for fd, name in ((1, "stdout"), (2, "stderr")):
            with contextlib.suppress(OSError):
                fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            # What C code prints goes out at once, too.
            _libc.setvbuf(ctypes.c_void_p.in_dll(_libc, name), None, _IONBF, 0)

    def flush(self):
        """Sends what buffers still hold."""
        for stream in (sys.stdout, sys.stderr):
            # The program may have put anything there.
            with contextlib.suppress(Exception):
                stream.flush()
        _libc.fflush(None)

    def end(self, marker):
        """Sends what buffers still hold, then the marker that no output of this program comes after."""
        self.flush()
        for fd, own in self._own.items():
            _write(own, marker)
            # A program may have closed it, or put a file of its own there.
            os.dup2(own, fd, inheritable=True)
        if sys.__stdout__.closed:
            sys.__stdout__ = _live_text(1, "<stdout>")
        if sys.__stderr__.closed:
            sys.__stderr__ = _live_text(2, "<stderr>")
        if getattr(sys.stdout, "closed", False):
            sys.stdout = sys.__stdout__
        if getattr(sys.stderr, "closed", False):
            sys.stderr = sys.__stderr__
        if getattr(sys.stdin, "closed", False):
            sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - lives as long as the process


def _write(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
