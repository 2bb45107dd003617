"""`python -m packyard_cli`."""

import sys

from packyard_cli.main import main

if __name__ == "__main__":
    sys.exit(main())
