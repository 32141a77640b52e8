"""Several splits that are read as one dataset."""

from __future__ import annotations

import multiprocessing
import pickle
from pathlib import Path

import numpy as np
import pytest

from maskmill import Dataset, DatasetError, open_dataset
from tests.support.builders import write_dataset
from tests.support.command import create
from tests.support.datasets import write_original

TRAIN, EVAL = ["a.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg"], ["g.jpg", "h.jpg", "i.jpg"]
BOTH = ["eval_input", "train_input"]


def ids(examples: Dataset) -> list[str]:
    return [one.image_id for one in examples]


def test_the_splits_follow_each_other_in_the_order_given(dataset: Path) -> None:
    assert ids(open_dataset(dataset, split=BOTH)) == EVAL + TRAIN
    assert ids(open_dataset(dataset, ("train_input", "eval_input"))) == TRAIN + EVAL
    assert ids(open_dataset(dataset, ["eval_input"])) == ids(open_dataset(dataset, "eval_input")) == EVAL


def test_examples_are_those_of_the_splits(dataset: Path) -> None:
    alone = [example for split in BOTH for example in open_dataset(dataset, split)]
    for cache in (None, dataset.parent / "cache"):
        for one, other in zip(open_dataset(dataset, BOTH, cache=cache), alone, strict=True):
            assert one.image_id == other.image_id
            assert np.array_equal(one.image, other.image)
            assert np.array_equal(one.label, other.label)
    cached = open_dataset(dataset, BOTH, cache=dataset.parent / "ahead")
    batches = [batch.image_ids for batch in cached.batches(3, shuffle=True, window=2)]
    assert batches == [batch.image_ids for batch in open_dataset(dataset, BOTH).batches(3, shuffle=True, window=2)]


def test_parts_and_batches_are_of_all_splits(dataset: Path) -> None:
    examples = open_dataset(dataset, BOTH)
    assert (len(examples), ids(examples[2:4])) == (8, ["i.jpg", "a.jpg"])
    assert examples.read([4, 0]).image_ids == ["c.jpg", "g.jpg"]
    assert [batch.image_ids for batch in examples.batches(5)] == [EVAL + TRAIN[:2], TRAIN[2:]]
    for window in (None, 1, 3):
        found = [name for batch in examples.batches(3, shuffle=True, window=window) for name in batch.image_ids]
        assert sorted(found) == TRAIN + EVAL
    names = [f"{split} {number}" for split in BOTH for number in open_dataset(dataset, split).shard_numbers]
    assert len(set(zip(examples.shard_numbers.tolist(), names, strict=True))) == len(set(names))
    assert len(set(examples.shard_numbers.tolist())) == len(set(names))


def test_what_is_recorded_is_that_of_all_examples_in_order(dataset: Path) -> None:
    examples, alone = open_dataset(dataset, BOTH), [open_dataset(dataset, split) for split in BOTH]
    assert np.array_equal(examples.areas, np.concatenate([one.areas for one in alone]))
    assert np.array_equal(examples.image_hashes, np.concatenate([one.image_hashes for one in alone]))
    assert examples.class_names == alone[0].class_names == ("3",)
    images = np.stack([example.image for example in examples])
    assert examples.statistics.mean == pytest.approx(images.mean())
    assert examples.statistics.std == pytest.approx(images.std())
    assert examples[3:].statistics.mean == alone[1].statistics.mean


def test_it_is_passed_to_other_processes_and_says_what_it_is(dataset: Path) -> None:
    examples = open_dataset(dataset, BOTH)
    assert repr(examples) == f"<eval_input, train_input of {dataset}: 8 examples>"
    assert ids(pickle.loads(pickle.dumps(examples))) == EVAL + TRAIN
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            assert pool.apply(ids, [examples[1:5]]) == (EVAL + TRAIN)[1:5]


def test_splits_of_the_original_are_joined(tmp_path: Path) -> None:
    write_original(tmp_path)
    assert len(open_dataset(tmp_path, BOTH)) == 4


def test_a_split_without_examples_adds_none(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 2", "b.jpg,3,1 2"])
    output = create(tmp_path, data, train_test_split=1.0, eval_input={"image_shape": [8, 8, 1]})
    examples = open_dataset(output, BOTH)
    assert (ids(examples), examples.class_names, examples.image_shape) == (["a.jpg", "b.jpg"], ("3",), (1, 16, 24))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"image_shape": [8, 8, 1]},
            "train_input and eval_input cannot be read as one: the images of train_input are uint8 [1, 16, 24], those "
            "of eval_input uint8 [1, 8, 8]; open each by itself",
        ),
        ({"num_classes": 3}, "the labels of train_input are float32 [2, 16, 24], those of eval_input float32 [3, 16,"),
        ({"class_id": 4}, "the classes of train_input are 3, those of eval_input 4; open each by itself"),
    ],
)
def test_splits_of_other_forms_are_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    data = write_dataset(tmp_path / "data", [f"{name}.jpg,{number},1 2" for name in "abcd" for number in (3, 4)])
    output = create(tmp_path, data, loss="multilabel_bce", eval_input=changes)
    with pytest.raises(DatasetError) as error:
        open_dataset(output, ["train_input", "eval_input"])
    assert f"{output}: train_input and eval_input" in str(error.value)
    assert message in str(error.value)


def test_what_cannot_be_joined_is_refused(dataset: Path) -> None:
    with pytest.raises(ValueError, match="split names eval_input twice; name each split once"):
        open_dataset(dataset, ["eval_input", "train_input", "eval_input"])
    with pytest.raises(ValueError, match="split is an empty list; name at least one split"):
        open_dataset(dataset, [])
    with pytest.raises(DatasetError, match="has no split fold_0; it has train_input, eval_input"):
        open_dataset(dataset, ["train_input", "fold_0"])
