"""IPython's shell, without a terminal: cells are run, their values and errors are handed to a caller."""

import _sitebuiltins
import warnings

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from errors import program_error, shortened

MAX_REPRESENTATION = 256 << 10
_CELL = "<cell "


class _Compiler(CachingCompiler):
    cells = 0

    def get_code_name(self, raw_code, transformed_code, number):
        _Compiler.cells += 1
        return f"{_CELL}{_Compiler.cells}>"


class _ValueHook(DisplayHook):
    on_value = None

    def __call__(self, result=None):
        self.check_for_underscore()
        if result is None or self.quiet():
            return
        data, _ = self.compute_format_data(result)
        self.update_user_ns(result)
        if self.on_value is not None:
            self.on_value(_representations(data))


class _TextPublisher(DisplayPublisher):
    """What `display()` shows goes where `print()` goes, as text."""

    def publish(self, data, metadata=None, *, transient=None, update=False, **kwargs):
        print(data.get("text/plain", ""))


class _Shell(InteractiveShell):
    compiler_class = _Compiler
    displayhook_class = _ValueHook
    display_pub_class = _TextPublisher

    def showtraceback(self, *args, **kwargs):
        """Errors are returned by `run`, not printed."""

    showsyntaxerror = showindentationerror = showtraceback

    def init_virtualenv(self):
        pass


class Shell:
    """Runs cells in one namespace that lives as long as the process."""

    def __init__(self):
        config = Config()
        config.HistoryManager.enabled = False
        config.HistoryManager.hist_file = ":memory:"
        config.InteractiveShell.colors = "NoColor"
        config.InteractiveShell.cache_size = 0
        config.InteractiveShell.banner1 = ""
        self._shell = _Shell.instance(config=config)
        # IPython's own would end a terminal; these raise SystemExit, as in plain Python.
        for name in ("exit", "quit"):
            self._shell.user_ns[name] = self._shell.user_ns_hidden[name] = _sitebuiltins.Quitter(name, "")
        # Without a terminal in between, so that lines end as the command ended them.
        self._shell.system = self._shell.system_raw
        warnings.filterwarnings("ignore", message="To exit: use")

    def run(self, source, on_value):
        """Runs one cell; returns the error it raised, or None."""
        self._shell.displayhook.on_value = on_value
        result = self._shell.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        if isinstance(error, SystemExit) and error.code in (None, 0):
            return None
        return None if error is None else program_error(error, is_program_file)


def is_program_file(name):
    return name.startswith(_CELL)


def _representations(data):
    """Forms of a value, plainest first; text only, each at most 256 KiB."""
    plain = data.get("text/plain", "")
    forms = [("text/plain", shortened(plain, MAX_REPRESENTATION))]
    for media_type in ("text/markdown", "text/latex", "text/html", "image/svg+xml"):
        text = data.get(media_type)
        if isinstance(text, str) and len(text.encode("utf-8", "replace")) <= MAX_REPRESENTATION // 2:
            forms.append((media_type, text))
    return forms
