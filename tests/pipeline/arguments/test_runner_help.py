"""What the help says of Beam's options."""

from __future__ import annotations

import argparse

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from maskmill.pipeline.arguments.runner_help import RUNNERS
from maskmill.pipeline.cli import main, make_parser
from maskmill.pipeline.runners.beam_options import find_unknown


@pytest.fixture(name="text")
def read_help(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        main(["create", "--help"])
    return capsys.readouterr().out


def test_every_option_that_is_named_is_one_of_beams() -> None:
    unknown, known = find_unknown([])
    named = [option.split("=")[0] for options in RUNNERS.values() for option in options]
    assert unknown == []
    assert [option for option in named if option not in known] == []
    assert len(set(named)) == len(named)


def test_an_option_that_takes_a_value_is_shown_with_one() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    for options in PipelineOptions.__subclasses__():
        options._add_argparse_args(parser)
    for options in RUNNERS.values():
        for option in options:
            name, _, value = option.partition("=")
            assert (parser._option_string_actions[name].nargs == 0) == (value == ""), option


def test_options_stand_in_the_section_of_their_runner(text: str) -> None:
    places = [text.index(f"\n{title}:\n") for title in RUNNERS]
    assert places == sorted(places)
    assert text.index("--overwrite") < places[0] < text.index("exit status:")
    for title, options in RUNNERS.items():
        section = text[text.index(f"\n{title}:\n") :].split("\n\n", 1)[0]
        assert all(f"\n  {option.replace('=', ' ')}" in section for option in options)


def test_an_option_that_is_only_shown_is_left_to_beam() -> None:
    parsed, rest = make_parser().parse_known_args(["create", "--params=p.yaml", "--project=x", "--flink-master=y"])
    assert rest == ["--project=x", "--flink-master=y"]
    assert not hasattr(parsed, "project")
