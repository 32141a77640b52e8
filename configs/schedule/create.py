"""`steelbeam create` as a file of Python, for a scheduler that can start nothing else."""

import sys

from pipeline.cli import main

if __name__ == "__main__":
    sys.exit(main(["create", *sys.argv[1:]]))
