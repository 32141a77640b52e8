"""What a person types, what is said of it, and that what is said works as it stands."""

from __future__ import annotations

import re
import shlex

import pytest

from maskmill.pipeline.cli import main, make_parser
from maskmill.pipeline.runners.beam_options import check_beam_options
from tests.support.command import run_here

P = "create --params p.yaml"

# What is typed; the words that the answer has; what is right, in which the hint stands word by word.
TYPED = [
    # Options with other dashes, without a dash, with a space or a capital in them.
    ("create -params p.yaml", "did you mean --params, with two hyphens?", P),
    ("create -params=p.yaml", "did you mean --params, with two hyphens?", "create --params=p.yaml"),
    ("create \u2013params p.yaml", "unknown argument \u2013params; did you mean --params, with two hyphens?", P),
    ("create \u2014params p.yaml", "did you mean --params, with two hyphens?", P),
    ("verify \u2013quick out", "did you mean --quick, with two hyphens?", "verify --quick out"),
    ("prune -keep 3 out", "did you mean --keep, with two hyphens?", "prune --keep 3 out"),
    (f"{P} -runner FlinkRunner", "did you mean --runner, with two hyphens?", f"{P} --runner FlinkRunner"),
    (f"{P} \u2013\u2013runner=FlinkRunner", "did you mean --runner, with two hyphens?", f"{P} --runner=FlinkRunner"),
    ("create --Params p.yaml", "did you mean --params?", P),
    ("create params=p.yaml", "did you mean --params=p.yaml?", "create --params=p.yaml"),
    ("create params p.yaml", "did you mean --params?", P),
    ("create '--params p.yaml'", "did you mean --params p.yaml, as two arguments?", P),
    ("create '--params\u00a0p.yaml'", "did you mean --params p.yaml, as two arguments?", P),
    ("create --params = p.yaml", "write --params p.yaml, without spaces around =", P),
    ("create --params= p.yaml", "write --params p.yaml, without spaces around =", P),
    # Other names, beginnings of names, names with a typo.
    ("create --parms p.yaml", "did you mean --params?", P),
    ("create -p p.yaml", "did you mean --params, with two hyphens?", P),
    ("create --config p.yaml", "did you mean --params?", P),
    (f"{P} --out x", "did you mean --output_dir?", f"{P} --output_dir x"),
    (f"{P} --output x", "did you mean --output_dir?", f"{P} --output_dir x"),
    (f"{P} --output=x", "did you mean --output_dir?", f"{P} --output_dir=x"),
    (f"{P} --output-folder x", "did you mean --output_dir?", f"{P} --output_dir x"),
    (f"{P} -o x", "did you mean --output_dir or --overwrite, with two hyphens?", f"{P} --output_dir x"),
    (f"{P} --num 4", "did you mean --num_output_files or --num_processes?", f"{P} --num_output_files 4"),
    (f"{P} --direct-num-worker 3", "did you mean --direct_num_workers?", f"{P} --direct_num_workers 3"),
    (f"{P} -q", "did you mean --quiet, with two hyphens?", f"{P} --quiet"),
    (f"{P} --silent", "did you mean --quiet?", f"{P} --quiet"),
    (f"{P} --verbose", "did you mean --debug?", f"{P} --debug"),
    (f"{P} --force", "did you mean --overwrite?", f"{P} --overwrite"),
    (f"{P} --log_format jsn", "'jsn' is none of text, json; did you mean json?", f"{P} --log_format json"),
    # Options of other commands, and of none.
    (f"{P} --keep 3", "unknown argument --keep; it is an option of prune, not of create", ""),
    ("verify --params p.yaml out", "it is an option of create, plan and preview, not of verify", ""),
    ("verify --output_dir out", "write DIR without an option", "verify out"),
    ("verify --output-dir=out", "write DIR without an option", "verify out"),
    ("verify out --frob", "verify has no such option", ""),
    (f"{P} --frob", "neither maskmill nor Apache Beam has such an option", ""),
    (f"{P} --dry_run", "`maskmill plan` says what a run would do", "plan --params p.yaml"),
    (f"{P} --dry-run=True", "`maskmill plan` says what a run would do", "plan --params p.yaml"),
    # Percentages.
    (f"{P} --max_rejected 5 percent", "a percentage is written 5%: --max_rejected 5%", f"{P} --max_rejected 5%"),
    (f"{P} --max-rejected 5 %", "a percentage is written 5%: --max_rejected 5%", f"{P} --max_rejected 5%"),
    (f"{P} --max_rejected=5 per cent", "a percentage is written 5%: --max_rejected=5%", f"{P} --max_rejected=5%"),
    (f"{P} --max_rejected '5 percent'", "did you mean 5%?", f"{P} --max_rejected 5%"),
    (f"{P} --max_rejected=5,5%", "did you mean 5.5%?", f"{P} --max_rejected=5.5%"),
    (f"{P} --max_rejected 0,5%", "did you mean 0.5%?", f"{P} --max_rejected 0.5%"),
    # Values without their option, with spaces, or where there is none.
    ("create p.yaml", "unknown argument p.yaml; did you mean --params p.yaml?", P),
    ("create p.yaml out", "unknown argument p.yaml; did you mean --params p.yaml?", P),
    ("create --output_dir out p.yaml", "did you mean --params p.yaml?", f"{P} --output_dir out"),
    (f"{P} out", "did you mean --output_dir out?", f"{P} --output_dir out"),
    ("preview --params p.yaml a.jpg", "did you mean --image a.jpg?", "preview --params p.yaml --image a.jpg"),
    (f"{P} --output_dir my folder", "needs quotes: --output_dir 'my folder'", f"{P} --output_dir 'my folder'"),
    (f"{P} --output_dir=my folder", "needs quotes: --output_dir='my folder'", f"{P} --output_dir='my folder'"),
    ("create --params my p.yaml", "needs quotes: --params 'my p.yaml'", "create --params 'my p.yaml'"),
    (f"{P} --output_dir x --job_name my job", "needs quotes: --job_name 'my job'", f"{P} --job_name 'my job'"),
    (f"{P} --output_dir x --quiet y", "--quiet takes no value", f"{P} --quiet"),
    ("preview x --params p.yaml", "preview takes only options", ""),
    (
        "verify my folder",
        "verify takes one value; with a space in it, it needs quotes: 'my folder'",
        "verify 'my folder'",
    ),
    (f"{P} --overwrite yes", "--overwrite takes no value", ""),
    (f"{P} --overwrite=yes", "--overwrite: takes no value; remove 'yes'", ""),
    (f"{P} --output_dir a --output-dir b", "--output_dir: given twice, with a and with b; give it once", ""),
    # What is missing is told if nothing else is wrong.
    ("create", "required: --params", P),
    ("create --parallelism 2", "required: --params", f"{P} --parallelism 2"),
    ("prune out", "required: --keep", "prune out --keep 3"),
    ("verify --quick", "required: DIR", "verify --quick DIR"),
]
# The command itself. What stands behind `maskmill` in the hint is right.
COMMANDS = [
    ("crate", "crate is no command; did you mean create?", "create"),
    ("Create --params p.yaml", "did you mean create?", "create"),
    ("--create", "unknown argument --create; did you mean create?", "create"),
    ("help crate", "did you mean create?", "create"),
    ("make", "the commands are create, plan, preview, sample", ""),
    ("--frob x", "--frob stands before the command; the commands are create, plan", ""),
    ("p.yaml --output_dir out", "did you mean", "create --params p.yaml --output_dir out"),
    ("--params p.yaml", "--params stands before the command; did you mean", "create --params p.yaml"),
    ("-params p.yaml", "did you mean", "create --params p.yaml"),
    ("\u2013params=p.yaml", "did you mean", "create --params=p.yaml"),
    ("--output_dir 'a b' plan --params p.yaml", "did you mean", "plan --output_dir 'a b' --params p.yaml"),
    ("--keep 3 out", "did you mean", "prune --keep 3 out"),
    ("version", "did you mean", "--version"),
    ("-V", "did you mean", "--version"),
    ("-version", "did you mean", "--version"),
    ("--versoin", "did you mean", "--version"),
    ("create -version", "did you mean", "--version"),
    ("create -help", "did you mean --help, with two hyphens?", "--help"),
    ("create help", "did you mean", "create --help"),
    ("", "give a COMMAND: create, plan", ""),
]


def refuse(typed: str) -> str:
    """What is said of a command line that is refused, in two lines of which the second says what explains."""
    said = run_here(*shlex.split(typed), status=2)
    assert said.out == ""
    first, *second = said.err.splitlines()
    assert first.startswith("maskmill: ")
    assert all(line.endswith("--help explains)") for line in second)
    assert len(second) <= 1
    return first


@pytest.mark.parametrize(("typed", "words", "right"), TYPED)
def test_what_was_meant_is_named_and_works(typed: str, words: str, right: str) -> None:
    assert words in refuse(typed)
    if right:
        hint = re.search(r"(?:did you mean|written \S+:|quotes:|write) ([^?]*?)(?: or .*|, .*)?\??$", words)
        assert not hint or hint[1].startswith("DIR") or hint[1] in right
        parsed, rest = make_parser().parse_known_args(shlex.split(right))
        if right.startswith("create"):
            check_beam_options(rest, parsed.known_options)
        else:
            assert rest == []


@pytest.mark.parametrize(("typed", "words", "right"), COMMANDS)
def test_the_command_that_was_meant_is_named_and_works(typed: str, words: str, right: str) -> None:
    said = refuse(typed)
    assert words in said
    assert not right or re.search(rf"did you mean (\S.* )?{re.escape(right)}(, with two hyphens)?\?$", said)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("help", "usage: maskmill [-h]"),
        ("help create", "usage: maskmill create "),
        ("create --help", "usage: maskmill create "),
        ("create -h", "usage: maskmill create "),
        ("--print_completion bash", "_shtab_maskmill"),
        ("--version", "maskmill "),
    ],
)
def test_what_asks_for_an_answer_gets_it(typed: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(typed.split())
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(words) or words in ("_shtab_maskmill",)


def test_a_value_that_looks_like_an_option_with_a_dash_is_a_value() -> None:
    parsed, rest = make_parser().parse_known_args(["create", "--params=p.yaml", "--output_dir", "\u2013quiet"])
    assert (parsed.output_dir, rest) == ("\u2013quiet", [])
    assert make_parser().parse_args(["show", "out", "--index", "-1"]).index == -1
