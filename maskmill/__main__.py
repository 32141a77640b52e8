"""`python -m maskmill`, the same program as the command `maskmill`."""

import sys

from maskmill.pipeline.cli import main

if __name__ == "__main__":
    sys.exit(main())
