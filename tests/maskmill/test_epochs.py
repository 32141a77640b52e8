"""Which examples are read when: each once, and for all ranks in the same number of steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskmill.epochs import EpochPlan, order_by_shards


@st.composite
def plans(draw: st.DrawFn) -> EpochPlan:
    world = draw(st.integers(1, 9))
    return EpochPlan(
        examples=draw(st.integers(world, 300)),
        batch_size=draw(st.integers(1, 40)),
        world_size=world,
        shuffle=draw(st.booleans()),
        buffer=draw(st.none() | st.integers(1, 50)),
        seed=draw(st.integers(0, 5)),
    )


@given(plans(), st.integers(0, 3))
def test_each_example_is_read_once_in_the_same_number_of_steps_by_all_ranks(plan: EpochPlan, epoch: int) -> None:
    read = [list(plan.batches(epoch, rank)) for rank in range(plan.world_size)]
    assert [len(batches) for batches in read] == [plan.steps] * plan.world_size
    sizes = {len(batch) for batches in read for batch in batches}
    assert max(sizes) - min(sizes) <= 1
    assert 1 <= max(sizes) <= max(plan.batch_size, 2)
    assert sorted(np.concatenate([batch for batches in read for batch in batches])) == list(range(plan.examples))


@given(st.integers(1, 5), st.integers(1, 40), st.integers(0, 300))
def test_with_drop_last_all_batches_have_their_full_size(world: int, batch_size: int, more: int) -> None:
    plan = EpochPlan(examples=world * batch_size + more, batch_size=batch_size, world_size=world, drop_last=True)
    read = [batch for rank in range(world) for batch in plan.batches(0, rank)]
    assert {len(batch) for batch in read} == {batch_size}
    positions = np.concatenate(read)
    assert len(set(positions.tolist())) == len(positions) > plan.examples - world * batch_size


@given(plans(), st.integers(1, 5), st.data())
def test_workers_together_read_what_one_reads_and_go_on_from_any_step(
    plan: EpochPlan, workers: int, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, plan.steps))
    alone = [batch.tolist() for batch in plan.batches(1, 0)][first:]
    together = [[batch.tolist() for batch in plan.batches(1, 0, first + worker, workers)] for worker in range(workers)]
    in_turn = [together[step % workers][step // workers] for step in range(len(alone))]
    assert in_turn == alone


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    plan = EpochPlan(examples=50, batch_size=5)
    other = EpochPlan(examples=50, batch_size=5, seed=1)
    orders = {tuple(order.tolist()) for order in (plan.order(0), plan.order(1), other.order(0), other.order(1))}
    assert len(orders) == 4
    assert np.array_equal(plan.order(1), EpochPlan(examples=50, batch_size=5).order(1))


def test_without_shuffling_the_order_is_that_of_the_positions() -> None:
    plan = EpochPlan(examples=7, batch_size=3, shuffle=False)
    assert [batch.tolist() for batch in plan.batches(4, 0)] == [[0, 1], [2, 3], [4, 5, 6]]


@given(st.integers(1, 60), st.integers(0, 5))
def test_a_buffer_bounds_how_far_an_example_is_moved(buffer: int, seed: int) -> None:
    plan = EpochPlan(examples=500, batch_size=5, buffer=buffer, seed=seed)
    moved = np.abs(plan.order(0) - np.arange(500))
    assert moved.max() <= buffer
    assert buffer < 3 or moved.any()


@pytest.mark.parametrize(
    ("examples", "batch_size", "world", "drop_last"),
    [(3, 2, 4, False), (0, 1, 1, False), (7, 4, 2, True), (5, 0, 1, False)],
)
def test_too_few_examples_are_an_error(examples: int, batch_size: int, world: int, drop_last: bool) -> None:
    with pytest.raises(ValueError, match="examples are too few for"):
        EpochPlan(examples=examples, batch_size=batch_size, world_size=world, drop_last=drop_last)


@given(st.lists(st.integers(0, 12), max_size=200), st.integers(1, 9), st.integers(0, 5))
def test_in_an_order_by_shards_no_more_are_in_use_than_the_window_has(
    shards: list[int], window: int, seed: int
) -> None:
    numbers = np.array(shards, np.int32)
    order = order_by_shards(numbers, window, np.random.default_rng(seed))
    assert sorted(order.tolist()) == list(range(len(shards)))
    read = numbers[order].tolist()
    for place in range(len(read)):
        assert len(set(read[: place + 1]) & set(read[place:])) <= window
    assert np.array_equal(order, order_by_shards(numbers, window, np.random.default_rng(seed)))


def test_a_window_mixes_the_examples_of_as_many_shards() -> None:
    shards = np.arange(4000) % 40
    order = order_by_shards(shards, 8, np.random.default_rng(0))
    middle = shards[order][1500:2500].reshape(20, 50)
    assert all(len(set(batch.tolist())) >= 6 for batch in middle)
    # Shards, and examples within a shard, have a random order.
    assert np.corrcoef(np.arange(4000), shards[order])[0, 1] < 0.7
    first = order[shards[order] == shards[order[0]]]
    assert (np.diff(first) < 0).any()


@given(st.integers(1, 4), st.integers(1, 30), st.integers(1, 3), st.integers(0, 3))
def test_by_shards_ranks_and_workers_share_the_examples_as_otherwise(
    world: int, batch_size: int, workers: int, epoch: int
) -> None:
    shards = np.arange(200) % 7
    plan = EpochPlan(examples=200, batch_size=batch_size, world_size=world, window=3)
    read = [list(plan.batches(epoch, rank, shards=shards)) for rank in range(world)]
    assert sorted(np.concatenate([batch for batches in read for batch in batches])) == list(range(200))
    together = [list(plan.batches(epoch, 0, worker, workers, shards)) for worker in range(workers)]
    in_turn = [together[step % workers][step // workers].tolist() for step in range(plan.steps)]
    assert in_turn == [batch.tolist() for batch in read[0]]
    assert not np.array_equal(plan.order(epoch, shards), plan.order(epoch + 1, shards))


@pytest.mark.parametrize("settings", [{"window": 0}, {"window": 2, "buffer": 10}])
def test_a_window_that_makes_no_sense_is_an_error(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="window must be 1 or more, and either of them None"):
        EpochPlan(examples=10, batch_size=1, **settings)
