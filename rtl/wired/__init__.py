"""Units whose constants are wiring: graphs of adders that share what they have in common.

Kinds of one's own are found in the folders of SHIFTADD_KINDS as well, see docs/kinds.md.
"""

import os
from pathlib import Path

_FOLDERS = os.environ.get("SHIFTADD_KINDS", "").split(os.pathsep)
__path__ += [str(Path(folder, *__name__.split("."))) for folder in _FOLDERS if folder]
