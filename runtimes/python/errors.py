"""A program's error as Python itself prints it: no colours, and none of the frames that run the program."""

import os
import traceback

from lean_ipython import IPYTHON_CORE

MAX_MESSAGE = 64 << 10
MAX_TRACEBACK = 256 << 10
# What the files of programs are called in tracebacks: "<cell 1>", "<cell 2>", …
CELL = "<cell "

_INTERNAL = (os.path.dirname(os.path.abspath(__file__)) + "/", IPYTHON_CORE)


def program_error(error):
    """Name, message and traceback of an exception."""
    tb = _first(error.__traceback__, lambda file: file.startswith(CELL))
    if tb is None and not isinstance(error, SyntaxError):
        # Raised in code of a magic, such as `%%time`.
        tb = _first(error.__traceback__, lambda file: not file.startswith(_INTERNAL))
    try:
        message = str(error)
    except Exception as failure:  # noqa: BLE001 - a __str__ of the program's own
        message = f"<{type(failure).__name__} in __str__>"
    try:
        told = traceback.TracebackException(type(error), error, tb)
        told.stack[:] = [frame for frame in told.stack if not frame.filename.startswith(_INTERNAL)]
        text = "".join(told.format())
    except Exception:  # noqa: BLE001
        text = f"{type(error).__name__}: {message}\n"
    return {
        "name": type(error).__name__,
        "message": shortened(message, MAX_MESSAGE),
        "traceback": shortened(text, MAX_TRACEBACK),
    }


def _first(tb, wanted):
    while tb is not None and not wanted(tb.tb_frame.f_code.co_filename):
        tb = tb.tb_next
    return tb


def exit_code_of(error):
    """What a plain Python process would exit with."""
    if not isinstance(error, SystemExit):
        return 0 if error is None else 1
    return error.code if isinstance(error.code, int) else 1


def shortened(text, limit):
    """The text, its middle left out where it has more than `limit` bytes of UTF-8."""
    if len(text) * 4 <= limit or len(text.encode("utf-8", "replace")) <= limit:
        return text
    # A character has at most four bytes; two halves of an eighth each stay under the limit.
    half = limit // 8
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"
