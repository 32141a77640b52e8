"""`python -m pipeline` in a checkout, the same program as the command `maskmill`."""

import sys

from maskmill.pipeline.cli import main

if __name__ == "__main__":
    sys.exit(main())
