"""`maskmill create`: makes the dataset that a parameter file describes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from maskmill.pipeline.arguments.create_arguments import add_create_arguments, create_arguments
from maskmill.pipeline.arguments.parser import EXIT_STATUSES
from maskmill.pipeline.arguments.runner_help import add_runner_help
from maskmill.pipeline.messages.run_log import JSON, RunLog
from maskmill.pipeline.runners.import_beam import import_beam

HELP = "make a dataset"
_DESCRIPTION = """\
Makes the HDF5 dataset that a parameter file describes: reads the CSV of masks and the folder of images, and writes
train_input/ and eval_input/ with their metadata. The parameter file of the Model Zoo works as it is.
"""
_EPILOG = f"""\
Every other option goes to Apache Beam; those above are the few that matter.

{EXIT_STATUSES}
example:
  maskmill create \\
    --params configs/params_severstal_binary.yaml \\
    --output_dir severstal_hdf5
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the command's arguments."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add_create_arguments(parser)
    add_runner_help(parser)


def run(parsed: argparse.Namespace, rest: Sequence[str]) -> None:
    """Runs the command; `rest` are options of Beam."""
    # Imported here, not above: Beam takes a second, which --help and wrong usage do not need.
    import_beam()
    from maskmill.pipeline.create.make_dataset import make_dataset
    from maskmill.pipeline.report.write_report import write_report
    from maskmill.pipeline.runners.beam_options import check_beam_options

    beam_options = check_beam_options(rest, parsed.known_options)
    log = RunLog(sys.stderr, parsed.log_format == JSON, parsed.quiet)
    arguments = create_arguments(parsed, beam_options)
    result = make_dataset(arguments, sys.stdout, log)
    if result is not None and not arguments.quiet and not log.as_json:
        print(result)
    if result is not None and arguments.report is not None:
        quiet = arguments.quiet or log.as_json
        written = write_report(arguments.output_dir, arguments.report, quiet=quiet, err=sys.stderr)
        if not quiet:
            print(written)
