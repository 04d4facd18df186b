"""IPython's shell, without a terminal: programs are run, their values and errors are handed to a caller."""

import asyncio
import builtins
import contextlib
import sys
import warnings

import lean_ipython  # noqa: F401 - before all else of IPython
from IPython.core.async_helpers import get_asyncio_loop
from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from errors import CELL, shortened

MAX_REPRESENTATION = 256 << 10
# IPython's own names that plain Python does not have.
_NOT_PLAIN = ("In", "Out", "exit", "quit", "open", "get_ipython", "_", "__", "___", "_exit_code")


class _Compiler(CachingCompiler):
    programs = 0

    def get_code_name(self, raw_code, transformed_code, number):
        _Compiler.programs += 1
        return f"{CELL}{_Compiler.programs}>"


class _ValueHook(DisplayHook):
    on_value = None

    def __call__(self, result=None):
        if result is None or self.quiet():
            return
        data, _ = self.compute_format_data(result)
        # Where plain Python keeps it.
        builtins._ = result
        self.on_value(_representations(data))


class _TextPublisher(DisplayPublisher):
    """What `display()` shows goes where `print()` goes, as text."""

    def publish(self, data, metadata=None, *, transient=None, update=False, **kwargs):
        print(data.get("text/plain", ""))


class _Shell(InteractiveShell):
    compiler_class = _Compiler
    displayhook_class = _ValueHook
    display_pub_class = _TextPublisher
    cancelled = None
    shown = None

    def init_user_ns(self):
        super().init_user_ns()
        for name in _NOT_PLAIN:
            self.user_ns.pop(name, None)

    def init_virtualenv(self):
        """The interpreter is the image's own."""

    def enable_gui(self, gui=None):
        """There is no screen."""

    def showtraceback(self, *args, **kwargs):
        """Errors are returned by `Shell.run`, not printed; those that a magic has caught among them."""
        self.shown = sys.exception()

    showsyntaxerror = showindentationerror = showtraceback

    async def run_code(self, code_obj, result=None, *, async_=False):
        self.cancelled = None
        try:
            if async_:
                await eval(code_obj, self.user_global_ns, self.user_ns)
            else:
                exec(code_obj, self.user_global_ns, self.user_ns)
        except BaseException as error:  # noqa: BLE001 - whatever the program raises is its result
            if isinstance(error, asyncio.CancelledError):
                self.cancelled = error
            if result is not None:
                result.error_in_exec = error
            return True
        return False

    def run_on_loop(self, coroutine):
        """Runs a program with top-level await. An interrupt cancels it, so that nothing of it goes on in a later one."""
        loop = get_asyncio_loop()
        task = loop.create_task(coroutine)
        try:
            return loop.run_until_complete(task)
        except KeyboardInterrupt as interrupt:
            if task.done():
                raise
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                loop.run_until_complete(task)
            # Where the program waited says more than where the loop did.
            place = interrupt if self.cancelled is None else self.cancelled
            raise KeyboardInterrupt().with_traceback(place.__traceback__) from None


class Shell:
    """Runs programs in one namespace that lives as long as the process."""

    def __init__(self):
        config = Config()
        config.HistoryManager.enabled = False
        config.HistoryManager.hist_file = ":memory:"
        config.InteractiveShell.colors = "NoColor"
        config.InteractiveShell.cache_size = 0
        config.InteractiveShell.banner1 = ""
        self._shell = _Shell.instance(config=config)
        self._shell.init_user_ns()
        self._shell.loop_runner = self._shell.run_on_loop
        # Without a terminal in between, so that lines end as the command ended them.
        self._shell.system = self._shell.system_raw
        # IPython takes `exit` and `quit` away, since its own would end a terminal; Python's raise SystemExit.
        self._shell.builtin_trap.auto_builtins = {"get_ipython": self._shell.get_ipython}
        # Said by `%cd`, which would like to keep its history on disk.
        warnings.filterwarnings("ignore", message="This is now an optional IPython functionality")

    def run(self, source, on_value):
        """Runs a program; returns what it raised, or None. Ending by itself without an error is no error."""
        self._shell.displayhook.on_value = on_value
        self._shell.shown = None
        result = self._shell.run_cell(source, store_history=False)
        errors = (result.error_before_exec, result.error_in_exec, self._shell.shown)
        error = next((error for error in errors if error is not None), None)
        return None if isinstance(error, SystemExit) and error.code in (None, 0) else error


def _representations(data):
    """Forms of a value, plainest first; text only, each at most 256 KiB."""
    plain = data.get("text/plain", "")
    forms = [("text/plain", shortened(plain, MAX_REPRESENTATION))]
    for media_type in ("text/markdown", "text/latex", "text/html", "image/svg+xml"):
        text = data.get(media_type)
        if isinstance(text, str) and len(text.encode("utf-8", "replace")) <= MAX_REPRESENTATION // 2:
            forms.append((media_type, text))
    return forms
