"""Every call of a file system may fail: never is that a success with something missing.

Of each run the calls are counted, then the run is made again with one of them failing, and looked at (`Place.check`).
`make test` takes all calls of a publishing that replaces a dataset, and of the other calls the first, the last and two
more of each operation; the errors take turns. With MASKMILL_FULL_FAULTS=1 every call meets every error.
"""

from __future__ import annotations

import errno
import itertools
import os
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from maskmill.transforms.files.find_files import exists, list_folder_if_there, match_files
from maskmill.transforms.files.read_write import remove
from tests.support.command import tree
from tests.support.fault_runs import STARTS, Place
from tests.support.faults import ERRORS, Fault, numbers_of
from tests.support.faulty_file_system import FAULTS, FaultyFileSystem, faulty
from tests.support.local_faults import local_faults

FULL = os.environ.get("MASKMILL_FULL_FAULTS") == "1"

LOCAL = (
    *("stat", "open", "read", "write", "truncate", "close", "scandir", "readdir", "makedirs", "mkdir"),
    *("os.open", "fsync", "replace", "remove", "rmtree", "flock"),
)
STORE = ("exists", "list", "metadata", "open", "read", "create", "write", "close", "rename", "delete")
# What may be done although it is said to have failed.
LOST_ANSWERS = ("replace", "rename", "remove", "delete", "close", "create", "makedirs", "rmtree")

BOTH = pytest.mark.parametrize("local", [True, False], ids=["local", "store"])
# What runs find that take the place of another dataset.
REPLACING = ("older", "cut off")
Places = Callable[[bool, str], Place]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """A place of each kind, prepared for what runs are to find."""
    made: dict[bool, Place] = {}

    def get(local: bool, start: str) -> Place:
        if local not in made:
            made[local] = Place(tmp_path_factory.mktemp("local" if local else "store"), local=local)
        made[local].prepare(start)
        return made[local]

    yield get
    FAULTS.plan(None)


def sample(numbers: list[int], publishing: list[int], start: str) -> list[int]:
    """Calls of an operation that are to fail; see the module."""
    if FULL:
        return numbers
    if start in REPLACING:
        before = [number for number in numbers if number not in publishing]
    else:
        before, publishing = numbers, []
    some = random.Random(len(numbers)).sample(before, min(2, len(before)))
    return sorted({*before[:1], *before[-1:], *some, *publishing})


def first_middle_last(numbers: list[int]) -> Iterable[int]:
    return numbers if FULL else dict.fromkeys([numbers[0], numbers[len(numbers) // 2], numbers[-1]])


def faults(place: Place, operation: str, start: str) -> Iterator[Fault]:
    """The faults of an operation; each start begins with another error."""
    publishing = place.publishing.get(operation, [])
    numbers = sample(place.calls.get(operation, []), publishing, start)
    if FULL:
        return itertools.starmap(Fault, itertools.product([operation], numbers, ERRORS))
    errors = itertools.islice(itertools.cycle(ERRORS), STARTS.index(start), None)
    return (Fault(operation, number, error) for number, error in zip(numbers, errors, strict=False))


@pytest.mark.parametrize("deletes_patterns", [True, False])
def test_a_store_gets_what_a_local_folder_gets_and_nothing_else(
    places: Places, monkeypatch: pytest.MonkeyPatch, deletes_patterns: bool
) -> None:
    monkeypatch.setattr(FaultyFileSystem, "deletes_patterns", deletes_patterns)
    local, store = places(True, "nothing"), places(False, "nothing")
    assert store.run(beam=True).status == 0
    found = tree(store.output)
    assert found.keys() == local.whole.keys()
    assert {name for name in found if found[name] != local.whole[name]} == {
        *("manifest.json", "croissant.json", "data_params.json", "examples.csv"),
        *("meta_train_input.dat", "meta_eval_input.dat"),
    }
    folder = faulty(store.output)
    assert found["meta_eval_input.dat"].decode().splitlines() == [
        f"{folder}/eval_input/preprocessed_data-{number}_p0.h5 2" for number in (0, 1)
    ]


@BOTH
def test_every_operation_is_met_by_some_run(places: Places, local: bool) -> None:
    met = {operation for start in STARTS for operation in places(local, start).calls}
    assert met == set(LOCAL if local else STORE)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(
    ("local", "operation"),
    [
        *(pytest.param(True, operation, id=f"local {operation}") for operation in LOCAL),
        *(pytest.param(False, operation, id=f"store {operation}") for operation in STORE),
    ],
)
def test_a_call_that_fails_is_no_success_with_something_missing(
    places: Places, local: bool, start: str, operation: str
) -> None:
    place = places(local, start)
    chosen = list(faults(place, operation, start))
    assert bool(chosen) == (operation in place.calls)
    for fault in chosen:
        place.check(fault)


@BOTH
@pytest.mark.parametrize("start", REPLACING)
def test_what_is_done_although_it_is_said_to_have_failed_does_no_harm(places: Places, local: bool, start: str) -> None:
    place = places(local, start)
    calls = place.calls if FULL else place.publishing
    lost = {operation: calls[operation] for operation in LOST_ANSWERS if operation in calls}
    assert lost.keys() >= ({"replace", "remove", "close", "rmtree"} if local else {"rename", "delete", "close"})
    for operation, numbers in lost.items():
        for number, error in zip(numbers, itertools.cycle(ERRORS), strict=False):
            place.check(Fault(operation, number, error, done=True))


@BOTH
@pytest.mark.parametrize("start", REPLACING)
def test_a_system_that_fails_from_some_call_on_does_no_harm(places: Places, local: bool, start: str) -> None:
    place = places(local, start)
    assert place.calls
    for operation, numbers in place.calls.items():
        for number, error in zip(first_middle_last(numbers), itertools.cycle(ERRORS), strict=False):
            place.check(Fault(operation, number, error, lasting=True))


@pytest.mark.parametrize("start", REPLACING)
def test_errors_that_are_a_stores_own_are_told_like_others(places: Places, start: str) -> None:
    place = places(False, start)
    assert place.calls
    for operation, numbers in place.calls.items():
        for number in first_middle_last(numbers):
            place.check(Fault(operation, number, 0))


@BOTH
def test_a_call_that_fails_in_a_run_by_beam_is_no_success_either(places: Places, local: bool) -> None:
    place = places(local, "older")
    assert place.run(beam=True).status == 0
    every = [
        Fault(operation, number, 0) for operation, numbers in numbers_of(place.faults.log).items() for number in numbers
    ]
    chosen = every if FULL else random.Random(1).sample(every, 6)
    for fault, error in zip(chosen, itertools.cycle(ERRORS), strict=False):
        place.check(fault._replace(error=error), beam=True)


@pytest.mark.parametrize("operation", ["makedirs", "open", "flock", "write"])
def test_a_lock_that_cannot_be_made_is_told_with_its_folder(places: Places, operation: str) -> None:
    place = places(True, "older")
    own = [path for one, path in place.log if one == operation]
    number = 1 + next(index for index, path in enumerate(own) if path in (str(place.output), f"{place.output}/.lock"))
    result = place.run(Fault(operation, number, errno.EACCES))
    assert result.status == 1
    problem = "its file system cannot lock a file" if operation == "flock" else "cannot be written to"
    assert f"{place.output}: {problem}" in result.err
    assert "Permission denied" in result.err
    assert tree(place.output).keys() - {".lock"} == place.before.keys()


@pytest.mark.parametrize("error", ERRORS)
def test_what_cannot_be_looked_at_is_not_taken_for_absent(tmp_path: Path, error: int) -> None:
    (tmp_path / "file").touch()
    FAULTS.plan(Fault("exists", 1, error))
    with pytest.raises(OSError, match=os.strerror(error)):
        exists(faulty(tmp_path / "file"))
    FAULTS.plan(Fault("stat", 1, error))
    with local_faults(FAULTS, tmp_path), pytest.raises(OSError, match=os.strerror(error)):
        exists(str(tmp_path / "file"))
    FAULTS.plan(Fault("list", 1, error))
    with pytest.raises(OSError, match=os.strerror(error)):
        list_folder_if_there(faulty(tmp_path))
    FAULTS.plan(Fault("readdir", 1, error))
    with local_faults(FAULTS, tmp_path), pytest.raises(OSError, match=os.strerror(error)):
        list_folder_if_there(str(tmp_path))
    FAULTS.plan(None)


@pytest.mark.parametrize("deletes_patterns", [True, False])
def test_names_of_objects_are_names_and_not_patterns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deletes_patterns: bool
) -> None:
    monkeypatch.setattr(FaultyFileSystem, "deletes_patterns", deletes_patterns)
    for name in ("a*", "a1", "[a]", "a", "a*below/x", "[a]below/[x]/y", "abelow/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [info.path for info in match_files(faulty(tmp_path), "[a]")] == [faulty(tmp_path / "[a]")]
    assert [info.path for info in match_files("", faulty(tmp_path / "a*"))] == [faulty(tmp_path / "a*")]
    remove([faulty(tmp_path / name) for name in ("a*", "[a]", "a*below", "[a]below", "not there")])
    assert sorted(tree(tmp_path)) == ["a", "a1", "abelow/x"]
