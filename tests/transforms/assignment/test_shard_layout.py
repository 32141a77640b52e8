"""Tests of the places of examples in shards."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskmill.transforms.assignment.shard_layout import ShardLayout


def places_by_loop(layout: ShardLayout, examples: int) -> list[tuple[int, int]]:
    """The original's way: each process deals out its consecutive range to its files in turn."""
    places = []
    files = max(layout.num_output_files // layout.num_processes, 1)
    for process in range(layout.num_processes):
        bounds = layout.range_bounds(process, examples)
        for row in range(bounds[1] - bounds[0]):
            places.append((process * files + row % files, row // files))
    return places


@given(st.integers(0, 200), st.integers(1, 20), st.integers(1, 9))
def test_places_are_those_of_a_plain_loop(examples: int, files: int, processes: int) -> None:
    layout = ShardLayout("data", files, processes)
    places = [layout.place(position, examples) for position in range(examples)]
    assert places == places_by_loop(layout, examples)
    assert all(0 <= shard < layout.num_shards for shard, _ in places)


@given(st.integers(0, 200), st.integers(1, 9))
def test_ranges_are_consecutive_and_differ_by_at_most_one(examples: int, processes: int) -> None:
    layout = ShardLayout("data", 10, processes)
    bounds = [layout.range_bounds(index, examples) for index in range(processes)]
    assert [start for start, _ in bounds[1:]] == [stop for _, stop in bounds[:-1]]
    assert (bounds[0][0], bounds[-1][1]) == (0, examples)
    sizes = [stop - start for start, stop in bounds]
    assert max(sizes) - min(sizes) <= 1


@given(st.integers(0, 200), st.integers(1, 20), st.integers(1, 9))
def test_groups_of_a_shard_are_numbered_without_a_gap(examples: int, files: int, processes: int) -> None:
    layout = ShardLayout("data", files, processes)
    places = {layout.place(position, examples) for position in range(examples)}
    counts = Counter(shard for shard, _ in places)
    assert places == {(shard, group) for shard, count in counts.items() for group in range(count)}
    assert len(places) == examples


@given(st.integers(0, 5000), st.integers(1, 20), st.integers(1, 9), st.integers(1, 3000), st.integers(1, 100))
def test_shards_are_as_few_as_keep_within_their_bound(
    examples: int, files: int, processes: int, bound: int, example_bytes: int
) -> None:
    asked = ShardLayout("data", files, processes, bound)
    fitted = asked.fitted(examples, example_bytes)
    largest = max(Counter(fitted.place(one, examples)[0] for one in range(examples)).values(), default=0)
    assert largest * example_bytes <= bound or largest <= 1
    assert fitted.num_processes == processes
    assert fitted.files_in_range >= asked.files_in_range
    if fitted.files_in_range > asked.files_in_range:
        fewer = fitted._replace(num_output_files=(fitted.files_in_range - 1) * processes)
        most = max(Counter(fewer.place(one, examples)[0] for one in range(examples)).values())
        assert most * example_bytes > bound


@given(st.integers(0, 2**40), st.integers(1, 20), st.integers(1, 9), st.integers(1, 10**6))
def test_by_hash_a_bound_doubles_the_shards_so_that_each_goes_to_two(
    examples: int, files: int, processes: int, bound: int
) -> None:
    asked = ShardLayout("data", files, processes, bound * 100, by_hash=True)
    fitted = asked.fitted(examples, 100)
    times, left = divmod(fitted.num_shards, asked.num_shards)
    assert left == 0
    assert times & (times - 1) == 0
    assert examples / fitted.num_shards <= bound
    for place in (0, 1, 12345, 2**64 - 1):
        assert fitted.place(place, examples)[0] % asked.num_shards == asked.place(place, examples)[0]


def test_a_bound_below_one_example_is_one_example_a_shard() -> None:
    assert ShardLayout("data", 2, 1, 10).fitted(7, 100).num_shards == 7


@pytest.mark.parametrize(
    ("files", "processes", "names"),
    [
        (2, 1, ["data-0_p0.h5", "data-1_p0.h5"]),
        (5, 2, ["data-0_p0.h5", "data-1_p0.h5", "data-2_p1.h5", "data-3_p1.h5"]),
        (1, 2, ["data-0_p0.h5", "data-1_p1.h5"]),
    ],
)
def test_file_names_are_the_originals(files: int, processes: int, names: list[str]) -> None:
    layout = ShardLayout("data", files, processes)
    assert [layout.file_name(shard) for shard in range(layout.num_shards)] == names
