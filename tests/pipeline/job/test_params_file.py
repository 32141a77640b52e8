"""The parameter file: what is accepted, what every kind of mistake says, and what goes into data_params.json."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from apache_beam.io.filesystems import FileSystems
from pydantic import ValidationError

from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.params import data_params
from maskmill.pipeline.job.params_file import parse_params, read_params
from maskmill.pipeline.job.section_models import MaskmillParams
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.spec import ExampleFormat

ROOT = Path(__file__).parents[3]
GOLDEN = sorted(path.parent for path in (ROOT / "tests" / "golden").glob("*/params.yaml"))

GIVE_CLASSES = "give the number or name of a class, a list of these, or all"
NO_CLASS = f"is not a class; the classes are 1, 2, 3, 4; {GIVE_CLASSES}"

# Line 12 is the first free one.
GOOD = """\
train_input: &train_input
  data_processor: SeverstalBinaryClassDataProcessor
  data_dir: data
  image_shape: [256, 256, 1]
  class_id: 3
  train_test_split: 0.8
  num_classes: 2
eval_input:
  <<: *train_input
model:
  loss: bce
"""
SHAPE = "give [height, width, channels], channels 1 or 3, height x width 268435456 or less"
CONTINUES = "correct this line or the one above it"


def problems(text: str) -> list[str]:
    """The lines of the message that a text is refused with."""
    with pytest.raises(UsageError) as caught:
        parse_params(text, "params.yaml")
    return str(caught.value).split("\n")


def good_but(old: str, new: str) -> str:
    """The good file with one change."""
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def once(line: int, key: str, what: str) -> list[str]:
    """The line for a mistake in train_input, which eval_input merges: it is told once."""
    return [f"params.yaml:{line}: train_input.{key}: {what}"]


def test_a_good_file_is_read_with_defaults() -> None:
    params = parse_params(GOOD, "params.yaml")
    assert params.splits["train_input"].image_shape == (256, 256, 1)
    assert params.splits["train_input"].max_image_shape == (256, 1600)
    assert params.splits["train_input"].shuffle is None
    assert params.loss == "bce"
    assert params.maskmill == MaskmillParams()
    assert list(params.splits) == ["train_input", "eval_input"]
    assert params.shares == {"train_input": (0.0, 0.8), "eval_input": (0.8, 1.0)}


def test_eval_input_takes_over_the_merged_keys_and_overrides_them() -> None:
    params = parse_params(good_but("  <<: *train_input\n", "  <<: *train_input\n  class_id: 4\n"), "params.yaml")
    assert params.splits["train_input"].class_id == (3,)
    assert params.splits["eval_input"].class_id == (4,)
    assert params.splits["eval_input"].data_dir == "data"


def test_the_document_is_what_the_safe_loader_reads() -> None:
    text = (ROOT / "configs" / "params_severstal_binary.yaml").read_text()
    assert parse_params(text, "params.yaml").document == yaml.safe_load(text)


def test_params_are_frozen() -> None:
    params = parse_params(GOOD, "params.yaml")
    with pytest.raises(ValidationError, match="frozen"):
        params.splits["train_input"].class_id = 1


@pytest.mark.parametrize(
    ("old", "new", "key", "value"),
    [
        ("train_test_split: 0.8", "train_test_split: 1", "train_test_split", 1.0),
        ("train_test_split: 0.8", "train_test_split: 0", "train_test_split", 0.0),
        ("class_id: 3", "class_id: 1", "class_id", (1,)),
        ("class_id: 3", "class_id: all", "class_id", (1, 2, 3, 4)),
        ("class_id: 3", "class_id: 3\n  max_image_shape: [1, 2, 3]", "max_image_shape", (1, 2, 3)),
        ("[256, 256, 1]", "[3, 3, 1]", "image_shape", (3, 3, 1)),
        ("[256, 256, 1]", "[1, 1, 3]", "image_shape", (1, 1, 3)),
        ("[256, 256, 1]", "[3, 16, 3]", "image_shape", (3, 16, 3)),
        ("[256, 256, 1]", "[16384, 16384, 1]", "image_shape", (16384, 16384, 1)),
        ("num_classes: 2", "num_classes: 1", "num_classes", 1),
        ("data_dir: data", "data_dir: 2024-05-01", "data_dir", "2024-05-01"),
        ("class_id: 3", "class_id: 3\n  shuffle: [any, thing]", "shuffle", ["any", "thing"]),
    ],
)
def test_values_at_the_edge_are_accepted(old: str, new: str, key: str, value: object) -> None:
    params = parse_params(good_but(old, new), "params.yaml")
    assert getattr(params.splits["train_input"], key) == value
    assert type(getattr(params.splits["eval_input"], key)) is type(value)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("{}", MaskmillParams()),
        ("{csv: a.csv}", MaskmillParams(csv=("a.csv",))),
        ("{csv: [b.csv, a.csv], images: x}", MaskmillParams(csv=("b.csv", "a.csv"), images="x")),
        ("{max_image_pixels: 1}", MaskmillParams(max_image_pixels=1)),
        ("{separator: ;}", MaskmillParams(separator="semicolon")),
        ("{separator: Semicolon}", MaskmillParams(separator="semicolon")),
        ("{separator: ','}", MaskmillParams()),
        ('{separator: "\\t"}', MaskmillParams(separator="tab")),
        ("{separator: '\\t'}", MaskmillParams(separator="tab")),
        ("{separator: TAB}", MaskmillParams(separator="tab")),
        ("{separator: '|'}", MaskmillParams(separator="pipe")),
        ("{max_image_pixels: 2147483646}", MaskmillParams(max_image_pixels=2**31 - 2)),
    ],
)
def test_the_maskmill_section_is_read(section: str, expected: MaskmillParams) -> None:
    assert parse_params(f"{GOOD}maskmill: {section}\n", "params.yaml").maskmill == expected


@pytest.mark.parametrize("name", ["optimizer", "runconfig", "test_input", "anything"])
def test_other_sections_may_hold_anything(name: str) -> None:
    assert parse_params(f"{GOOD}{name}: {{a: [1, {{b: null}}]}}\n", "p").document[name] == {"a": [1, {"b": None}]}


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "what"),
    [
        ("data_dir: data", "data_dir: ''", 3, "data_dir", '"" is blank; give the folder'),
        ("data_dir: data", "data_dir: 3", 3, "data_dir", "3 is not a string; give the folder"),
        ("data_dir: data", "data_dir:", 3, "data_dir", "null is not a string; give the folder"),
        ("[256, 256, 1]", "256", 4, "image_shape", f"256 is not a list; {SHAPE}"),
        ("[256, 256, 1]", "[256, 256]", 4, "image_shape", f"[256, 256] has length 2; {SHAPE}"),
        ("[256, 256, 1]", "[1, 1, 1, 1]", 4, "image_shape", f"[1, 1, 1, 1] has length 4; {SHAPE}"),
        ("[256, 256, 1]", "\n  - 256\n  - 0\n  - 1", 6, "image_shape[1]", f"0 is below 1; {SHAPE}"),
        ("[256, 256, 1]", "[256, 1.5, 1]", 4, "image_shape[1]", f"1.5 is not a whole number; {SHAPE}"),
        ("[256, 256, 1]", "[16384, 16385, 1]", 4, "image_shape", "16384 x 16385 is above 268435456 pixels; give"),
        ("class_id: 3", "max_image_shape: [3]\n  class_id: 3", 5, "max_image_shape", "[3] has length 1; give [h"),
        ("class_id: 3", "max_image_shape: [0, 9]\n  class_id: 3", 5, "max_image_shape[0]", "0 is below 1; give [h"),
        ("class_id: 3", "class_id: Fish", 5, "class_id", f'"Fish" {NO_CLASS}'),
        ("class_id: 3", "class_id: [1, 5]", 5, "class_id", f"5 {NO_CLASS}"),
        ("class_id: 3", "class_id: [1, 1]", 5, "class_id", f"[1, 1] names a class twice; {GIVE_CLASSES}"),
        ("class_id: 3", "class_id: []", 5, "class_id", f"[] names no class; {GIVE_CLASSES}"),
        ("class_id: 3", "class_id: true", 5, "class_id", "true is not a class; the classes are 1, 2, 3, 4 (YAML reads"),
        ("class_id: 3", "class_id: 3.0", 5, "class_id", f"3.0 {NO_CLASS}"),
        ("class_id: 3", "class_id: 0", 5, "class_id", f"0 {NO_CLASS}"),
        ("class_id: 3", "class_id: 5", 5, "class_id", f"5 {NO_CLASS}"),
        ("0.8", "1.5", 6, "train_test_split", "1.5 is above 1; give a share between 0 and 1"),
        ("0.8", "-0.1", 6, "train_test_split", "-0.1 is below 0; give a share between 0 and 1"),
        ("0.8", ".nan", 6, "train_test_split", '".nan" is not a number; give a share between 0 and 1'),
        ("0.8", "-.inf", 6, "train_test_split", '"-.inf" is not a number; give a share between 0 and 1'),
        ("0.8", "true", 6, "train_test_split", "true is not a number; give a share between 0 and 1"),
        ("num_classes: 2", "num_classes: 0", 7, "num_classes", "0 is below 1; give 1 or more"),
        (
            "[256, 256, 1]",
            "[1, 16, 24]",
            4,
            "image_shape",
            f"[1, 16, 24] has 24 channels; did you mean [16, 24, 1]?; {SHAPE}",
        ),
        ("[256, 256, 1]", "[3, 16, 24]", 4, "image_shape", "[3, 16, 24] has 24 channels; did you mean [16, 24, 3]?"),
        ("[256, 256, 1]", "[256, 256, 4]", 4, "image_shape", f"[256, 256, 4] has 4 channels; {SHAPE}"),
        (
            "class_id: 3",
            "max_image_shape: [1, 256, 1600]\n  class_id: 3",
            5,
            "max_image_shape",
            "[1, 256, 1600] has 1600 channels; did you mean [256, 1600, 1]?; give [height, width] or",
        ),
        ("class_id: 3", "num_steps: 1\n  clas_id: 3", 6, "clas_id", "unknown key; did you mean class_id?"),
    ],
)
def test_a_wrong_value_is_named_where_it_stands(old: str, new: str, line: int, key: str, what: str) -> None:
    found = problems(good_but(old, new))
    starts = once(line, key, what)
    assert [text[: len(start)] for text, start in zip(found, starts, strict=True)] == starts


def test_a_misspelt_data_processor_is_told_which_one_is_supported() -> None:
    found = problems(good_but("SeverstalBinaryClassDataProcessor", "SeverstalBinaryClassDataProcesor"))
    assert found == once(
        2,
        "data_processor",
        '"SeverstalBinaryClassDataProcesor" is not supported; only SeverstalBinaryClassDataProcessor is supported',
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # unknown keys
        (
            good_but("image_shape", "imge_shape"),
            once(4, "imge_shape", "unknown key; did you mean image_shape?"),
        ),
        (good_but("class_id", "Class_ID"), once(5, "Class_ID", "unknown key; did you mean class_id?")),
        (
            GOOD + "maskmill:\n  zzz: 1\n",
            [
                "params.yaml:13: maskmill.zzz: unknown key; known keys: " + ", ".join(MaskmillParams.model_fields),
            ],
        ),
        (
            good_but("eval_input:", "eval_inptu:"),
            ["params.yaml:8: eval_inptu: unknown key; did you mean eval_input?"],
        ),
        (GOOD + "maskmil: {}\n", ["params.yaml:12: maskmil: unknown key; did you mean maskmill?"]),
        # missing keys and sections
        (
            good_but("  class_id: 3\n", ""),
            [f"params.yaml:1: train_input.class_id: missing; {GIVE_CLASSES}"],
        ),
        (
            GOOD[: GOOD.index("eval_input")] + "model: {loss: ssce}\n",
            ["params.yaml:1: eval_input: missing; give a section with the keys of the evaluation data"],
        ),
        (
            good_but("model:\n  loss: bce\n", ""),
            ["params.yaml:1: model: missing; give a section with loss: one of bce, multilabel_bce, ssce"],
        ),
        (
            good_but("  loss: bce", "  name: unet"),
            ["params.yaml:10: model.loss: missing; give one of bce, multilabel_bce, ssce"],
        ),
        (
            good_but("loss: bce", "loss: dice"),
            ['params.yaml:11: model.loss: "dice" is not supported; give one of bce, multilabel_bce, ssce'],
        ),
        (
            good_but("loss: bce", "loss: [bce]"),
            ['params.yaml:11: model.loss: ["bce"] is not supported; give one of bce, multilabel_bce, ssce'],
        ),
        # sections that are none
        (
            "train_input: [1]\neval_input:\nmodel: bce\nmaskmill: 3\n",
            [
                "params.yaml:1: train_input: [1] is not a mapping; give a section with the keys of the training data",
                "params.yaml:2: eval_input: null is not a mapping; give a section with the keys of the evaluation data",
                'params.yaml:3: model: "bce" is not a mapping; '
                "give a section with loss: one of bce, multilabel_bce, ssce",
                "params.yaml:4: maskmill: 3 is not a mapping; give a section with keys, or remove it",
            ],
        ),
        # the section maskmill
        (
            GOOD + "maskmill:\n  csv: []\n  images: ' '\n  class_column: 3\n",
            [
                "params.yaml:13: maskmill.csv: [] has length 0; give a file name, a list of file names, or null",
                'params.yaml:14: maskmill.images: " " is blank; give the name of the image folder, or a list of names',
                "params.yaml:15: maskmill.class_column: 3 is not a string; give the name of a column, or null",
            ],
        ),
        *(
            (
                f"{GOOD}maskmill:\n  separator: {value}\n",
                [
                    f"params.yaml:13: maskmill.separator: {shown} is not supported; "
                    "give comma, semicolon, tab or pipe, or the character in quotes"
                ],
            )
            for value, shown in [("':'", '":"'), ("''", '""'), ("3", "3"), ("null", "null"), ("[tab]", '["tab"]')]
        ),
        (
            GOOD + "maskmill:\n  csv: ''\n",
            ['params.yaml:13: maskmill.csv: "" is blank; give a file name, a list of file names, or null'],
        ),
        (
            GOOD + "maskmill:\n  csv:\n  - a.csv\n  - 3\n",
            ["params.yaml:15: maskmill.csv[1]: 3 is not a string; give a file name, a list of file names, or null"],
        ),
        # a section by its former name
        (GOOD + "steelbeam: {}\n", ["params.yaml:12: steelbeam: unknown key; did you mean maskmill?"]),
        # what two sections say together
        (
            good_but("num_classes: 2", "num_classes: 1").replace("loss: bce", "loss: multilabel_bce"),
            once(
                7,
                "num_classes",
                "1 is too few: with the background there are 2 classes; "
                "give 1 or more; with multilabel_bce and ssce, the number of classes plus 1, or more",
            ),
        ),
    ],
)
def test_a_wrong_key_or_section_is_named_with_what_to_do(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            GOOD + "other:\n  a: 1\n  b: 2\n  a: 3\n",
            "params.yaml:15: other.a: given twice, first on line 13; keep one of the two",
        ),
        (
            GOOD + "model:\n  loss: bce\n",
            "params.yaml:12: model: given twice, first on line 10; keep one of the two",
        ),
        (
            good_but("  <<: *train_input\n", "  <<: *train_input\n  <<: *train_input\n"),
            "params.yaml:10: eval_input.<<: given twice, first on line 9; keep one of the two",
        ),
        (
            good_but("loss: bce", "loss: bce\n  3: x"),
            'params.yaml:12: model.3: the key is not a string; put it in quotes: "3"',
        ),
        (
            GOOD + "yes: x\n",
            'params.yaml:12: yes: the key is not a string; put it in quotes: "yes"',
        ),
        (GOOD + "? [1, 2]\n: x\n", "params.yaml:12: (sequence): the key is not a string; write a string"),
        (
            GOOD + "x: !!python/object/apply:os.system [ls]\n",
            "params.yaml:12: x: the tag !!python/object/apply:os.system is not allowed; remove it",
        ),
        (
            good_but("  loss: bce", "  loss: !mine bce"),
            "params.yaml:11: model.loss: the tag !mine is not allowed; remove it",
        ),
        (
            good_but("model:\n", "model: !mine\n"),
            "params.yaml:10: model: the tag !mine is not allowed; remove it",
        ),
        (GOOD + "x: !!int many\n", 'params.yaml:12: x: "many" cannot be read as int; put it in quotes'),
        (GOOD + "x: !!bool many\n", 'params.yaml:12: x: "many" cannot be read as bool; put it in quotes'),
        (
            GOOD + "x: 9223372036854775808\n",
            "params.yaml:12: x: the number does not fit in 64 bits; give a smaller one",
        ),
        (
            GOOD + 'x: "\\ud800"\n',
            'params.yaml:12: x: "\\ud800" holds half a character; write the character itself',
        ),
        (
            GOOD + "x:\n  <<: 3\n",
            "params.yaml:13: x: not YAML at column 7: expected a mapping or list of mappings for merging, "
            f"but found scalar; {CONTINUES}",
        ),
        (GOOD + "x:\n  <<: !mine {a: 1}\n", "params.yaml:13: x: the tag !mine is not allowed; remove it"),
    ],
)
def test_yaml_that_means_something_else_is_refused(text: str, expected: str) -> None:
    assert problems(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "params.yaml:1: the file is empty; write sections with keys in them"),
        ("# nothing\n", "params.yaml:1: the file is empty; write sections with keys in them"),
        ("bce\n", 'params.yaml:1: "bce" is not a mapping; write sections with keys in them'),
        ("\n- 1\n", "params.yaml:2: [1] is not a mapping; write sections with keys in them"),
        ("!mine {}\n", "params.yaml:1: the tag !mine is not allowed; remove it"),
        ("a: 1\nb: c: d\n", f"params.yaml:2: not YAML at column 5: mapping values are not allowed here; {CONTINUES}"),
        ("a: *b\n", f"params.yaml:1: not YAML at column 4: found undefined alias 'b'; {CONTINUES}"),
        (
            "a:\n\tb: 1\n",
            "params.yaml:2: not YAML at column 1: found character '\\t' that cannot start any token; "
            "indent with spaces, not tabs",
        ),
        (
            "a: 1\n---\nb: 1\n",
            "params.yaml:2: not YAML at column 1: expected a single document in the stream, "
            f"but found another document; {CONTINUES}",
        ),
        ("a: 1\nb: \x00\n", "params.yaml:2: the character U+0000 cannot stand in YAML; remove it"),
        (
            'a: 1\nb: "\\UFFFFFFFF"\n',
            "params.yaml:2: not YAML: an escape in quotes names no character; correct it",
        ),
        ("a: 1\nb: &b\n  c: [*b]\n", "params.yaml:2: the value holds itself through an alias; remove the alias"),
        ("a: &a [*a]\n", "params.yaml:1: the value holds itself through an alias; remove the alias"),
        (
            "a: " + "[" * 150 + "]" * 150,
            "params.yaml:1: lists and mappings stand in each other more than 100 levels deep; use fewer levels",
        ),
        (
            "[" * 5000,
            "params.yaml:1: lists and mappings stand in each other more than 100 levels deep; use fewer levels",
        ),
    ],
)
def test_text_that_cannot_be_used_is_refused_in_one_line(text: str, expected: str) -> None:
    assert problems(text) == [expected]


@pytest.mark.parametrize(("leaf", "level"), [("[x, x]", "[%s]"), ("{x: 1, y: 2}", "{<<: [%s]}")])
def test_aliases_that_expand_without_end_are_refused_at_once(leaf: str, level: str) -> None:
    levels = [f"a{i}: &a{i} " + level % ", ".join([f"*a{i - 1}"] * 10) for i in range(1, 30)]
    assert problems("\n".join([f"a0: &a0 {leaf}", *levels])) == [
        "params.yaml:6: aliases written out, there are more than 100,000 values; use fewer aliases"
    ]


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = GOOD.replace("image_shape", "imge_shape").replace("0.8", "1.5").replace("bce", "dice") + "x: 1\nx: 2\n"
    found = [line.split(":")[1:3] for line in problems(text)]
    assert found == [
        ["4", " train_input.imge_shape"],
        ["6", " train_input.train_test_split"],
        ["11", " model.loss"],
        ["13", " x"],
    ]


def test_an_overridden_key_has_its_own_line_and_a_merged_one_that_of_the_anchored_section() -> None:
    text = good_but("  <<: *train_input\n", "  <<: *train_input\n  class_id: 9\n").replace("0.8", "8")
    assert [line[:40] for line in problems(text)] == [
        "params.yaml:6: train_input.train_test_sp",
        "params.yaml:10: eval_input.class_id: 9 i",
    ]


@pytest.mark.parametrize(("number", "last"), [(20, "x20"), (21, "… and 1 more"), (500, "… and 480 more")])
def test_a_message_names_twenty_problems_and_counts_the_others(number: int, last: str) -> None:
    lines = problems(GOOD + "".join(f"x{index}: !mine 1\n" for index in range(1, number + 1)))
    assert lines[:19] == [f"params.yaml:{11 + i}: x{i}: the tag !mine is not allowed; remove it" for i in range(1, 20)]
    assert last in lines[-1]
    assert len(lines) == min(number, 21)


@pytest.mark.parametrize("text", ["a: {b: {c: ", "\x85a: 1", "a: 'b\n\n", "x" * 200 + "\n: 3", 'a: "\\n": b', "? ? ?"])
def test_every_message_is_one_printable_line_per_problem(text: str) -> None:
    for line in problems(text):
        assert re.match(r"params\.yaml:\d+: .+; .+", line)
        assert line.isprintable()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (GOOD.encode().replace(b"data_dir: data", b"data_dir: d\xe4ta"), ":3: the file is not UTF-8; save it as UTF-8"),
        (GOOD.encode("utf-16"), ":1: the file is not UTF-8; save it as UTF-8"),
        (GOOD.encode() + b"#" * 2**20, ": the file is over 1 MiB; give a parameter file, not data"),
    ],
)
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_params(str(path))
    assert str(caught.value) == f"{path}{expected}"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("absent.yaml", "No such file or directory"),
        ("", "Is a directory"),
        ("nul\0.yaml", "embedded null byte"),
    ],
)
def test_a_path_that_cannot_be_read_is_named(tmp_path: Path, name: str, reason: str) -> None:
    path = str(tmp_path / name)
    with pytest.raises(UsageError) as caught:
        read_params(path)
    assert str(caught.value) == f"{path}: cannot be read: {reason}; give the path of a parameter file"


def test_an_unknown_file_system_is_named() -> None:
    with pytest.raises(UsageError, match=r"^nosuch://x/params.yaml: Apache Beam has no file system for nosuch:// here"):
        read_params("nosuch://x/params.yaml")


def test_a_file_without_permission_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(FileSystems, "open", refuse)
    with pytest.raises(UsageError, match=r"^p.yaml: cannot be read: Permission denied; give the path"):
        read_params("p.yaml")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(GOOD, encoding="utf-8-sig")
    assert read_params(str(path)) == parse_params(GOOD, "params.yaml")


def test_importing_params_does_not_import_beam() -> None:
    code = "import sys, maskmill.pipeline.job.params_file; sys.exit('apache_beam' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_golden_files_are_there() -> None:
    assert len(GOLDEN) == 9


@pytest.mark.parametrize("split", ["train_input", "eval_input"])
@pytest.mark.parametrize("folder", GOLDEN, ids=lambda folder: folder.name)
def test_data_params_equal_those_of_the_original(folder: Path, split: str) -> None:
    expected = json.loads((folder / "expected.json").read_text())
    params = read_params(str(folder / "params.yaml"))
    tree = data_params(params, expected["input_args"])
    assert {key: value for key, value in tree[split].items() if key != "data_dir"} == expected[split]["parameters"]
    assert tree["input_args"] == expected["input_args"]
    assert tree["optimizer"] == params.document["optimizer"]
    assert not any(key.endswith("_hdf") for key in tree)


def test_data_params_leave_the_parameters_alone() -> None:
    params = parse_params(GOOD, "params.yaml")
    args = {"files": [1]}
    tree = data_params(params, args)
    tree["train_input"]["image_shape"].append(9)
    tree["input_args"]["files"].append(2)
    assert params == parse_params(GOOD, "params.yaml")
    assert args == {"files": [1]}


def test_data_params_hold_only_the_given_keys_and_the_forced_ones() -> None:
    tree = data_params(parse_params(good_but("class_id: 3", "class_id: 3\n  drop_last: true"), "p"), {})
    assert tree["eval_input"] == {
        "data_processor": "SeverstalBinaryClassDataProcessor",
        "data_dir": "data",
        "image_shape": [256, 256, 1],
        "class_id": 3,
        "drop_last": True,
        "train_test_split": 0.8,
        "num_classes": 2,
        "augment_data": False,
        "mixed_precision": False,
        "normalize_data_method": None,
        "use_worker_cache": False,
        "loss": "bce",
        "convert_to_onehot": False,
        "use_bfloat16": False,
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-05-01", "2024-05-01"),
        ("2024-99-99", "2024-99-99"),
        ("!!set {a, b}", "!!set {a, b}"),
        ("!!binary aGk=", "aGk="),
        (".inf", ".inf"),
        ("=", "="),
        ("!!omap [a: 1, b: 2]", [{"a": 1}, {"b": 2}]),
        ("{<<: !!set {a}, b: 1}", {"a": None, "b": 1}),
    ],
)
def test_what_json_has_no_form_for_becomes_text(value: str, expected: object) -> None:
    tree = data_params(parse_params(f"{GOOD}other: {value}\n", "params.yaml"), {})
    assert json.loads(json.dumps(tree, allow_nan=False))["other"] == expected


@pytest.mark.parametrize(
    ("name", "data_dir", "sections"),
    [
        ("params_severstal_binary.yaml", "./severstal", {"optimizer", "runconfig"}),
        ("quickstart.yaml", "quickstart/data", set()),
    ],
)
def test_the_shipped_files_are_good(name: str, data_dir: str, sections: set[str]) -> None:
    params = read_params(str(ROOT / "configs" / name))
    assert set(params.document) == {"train_input", "eval_input", "model"} | sections
    for split, batch_size in (("train_input", 480), ("eval_input", 64)):
        section = params.splits[split]
        assert (section.data_dir, section.image_shape, section.class_id) == (data_dir, (256, 256, 1), (3,))
        assert (section.train_test_split, section.batch_size) == (0.85, batch_size)


def test_the_full_shipped_file_has_the_keys_of_the_original() -> None:
    document = read_params(str(ROOT / "configs" / "params_severstal_binary.yaml")).document
    original = yaml.safe_load((GOLDEN[0] / "params.yaml").read_text())
    assert {name: set(section) for name, section in document.items()} == {
        name: set(section) for name, section in original.items()
    }


def test_the_bound_on_pixels_is_the_decoders_unless_it_is_given() -> None:
    assert MaskmillParams().max_image_pixels == ExampleFormat((1, 1), LabelFormat("bce", 2, 1, 1, (3,))).max_pixels


def test_the_commented_section_of_the_quickstart_shows_the_defaults() -> None:
    text = (ROOT / "configs" / "quickstart.yaml").read_text()
    shown = re.sub(r"^# (?=maskmill:|  )", "", text, flags=re.MULTILINE)
    params = parse_params(shown, "quickstart.yaml")
    assert params.document["maskmill"].keys() == MaskmillParams.model_fields.keys()
    assert params.maskmill == MaskmillParams()
