"""Imports IPython without its terminal and its completer's engine, which take half of the time that it takes.

Programs that import those get them. `IPython.embed`, which wants a terminal, is not there.
"""

import os
import sys
import types

_EMBED = "IPython.terminal.embed"
_COMPLETER = "jedi"

# IPython does without this one when it cannot be imported, and imports the other only to offer its `embed`.
sys.modules[_COMPLETER] = None
sys.modules[_EMBED] = types.ModuleType(_EMBED)
sys.modules[_EMBED].embed = None
import IPython.core.interactiveshell  # noqa: E402

del sys.modules[_EMBED], sys.modules[_COMPLETER]
del IPython.embed

# Where the frames are that run programs.
IPYTHON_CORE = os.path.dirname(IPython.__file__) + "/core/"
