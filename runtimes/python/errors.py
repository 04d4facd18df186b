"""A program's error as Python itself prints it: no colours, and none of the frames that run the program."""

import traceback

MAX_MESSAGE = 64 << 10
MAX_TRACEBACK = 256 << 10


def program_error(error, is_program_file):
    """Name, message and traceback of an exception; `is_program_file` tells the program's frames by their file name."""
    tb = error.__traceback__
    while tb is not None and not is_program_file(tb.tb_frame.f_code.co_filename):
        tb = tb.tb_next
    try:
        message = str(error)
    except Exception as failure:  # noqa: BLE001 - a __str__ of the program's own
        message = f"<{type(failure).__name__} in __str__>"
    try:
        lines = traceback.format_exception(type(error), error.with_traceback(tb), tb)
    except Exception:  # noqa: BLE001
        lines = [f"{type(error).__name__}: {message}\n"]
    return {
        "name": type(error).__name__,
        "message": shortened(message, MAX_MESSAGE),
        "traceback": shortened("".join(lines), MAX_TRACEBACK),
    }


def shortened(text, limit):
    """The text, its middle left out where it has more than `limit` bytes of UTF-8."""
    size = len(text.encode("utf-8", "replace"))
    if size <= limit:
        return text
    # A character has at most four bytes; two halves of an eighth each stay under the limit.
    half = limit // 8
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"
