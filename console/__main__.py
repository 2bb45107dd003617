"""`python -m console`."""

import sys

from console.command_line import main

sys.exit(main(sys.argv[1:]))
