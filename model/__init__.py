"""What a network is: spec, integer golden model, trainable layers, data, training.

Kinds of one's own are found in the folders of SHIFTADD_KINDS as well, see docs/kinds.md.
"""

import os
from pathlib import Path

_FOLDERS = os.environ.get("SHIFTADD_KINDS", "").split(os.pathsep)
__path__ += [str(Path(folder, *__name__.split("."))) for folder in _FOLDERS if folder]
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
"""Threads of torch that wait, sleep: where cores are busy with something else, spinning ones make a
training of two threads up to ten times as long (measured). Read once, when torch is loaded."""
