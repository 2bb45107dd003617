"""Where processes that tests start find the bytecode of what they import, and leave it: never beside a function."""

import sys
from pathlib import Path
from typing import Final

_OURS: Final = Path(__file__).parents[1] / ".local" / "pycache"

# For the environment of such a process. Without bytecode it compiles all of boto3, which takes two seconds.
KEPT_BYTECODE: Final = {"PYTHONPYCACHEPREFIX": sys.pycache_prefix or str(_OURS)}
