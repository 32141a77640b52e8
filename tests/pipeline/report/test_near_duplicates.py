"""Examples that look the same."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskmill.pipeline.report.near_duplicates import NearDuplicates, find_near_duplicates, similar_pairs
from maskmill.pipeline.report.statistics import look_at_split
from maskmill.pipeline.sample.plan_images import plan_image
from maskmill.transforms.parallel.progress import Progress
from tests.support.builders import image_bytes
from tests.support.command import create, run_here
from tests.support.report_pages import page_of

IMAGES, SEED = 440, 3
ENCODED_ANEW = 5


def hashes_with_neighbours(random: np.random.Generator) -> np.ndarray:
    """Hashes at random, and for some of them others that differ in up to four bits; some are equal, many are 0."""
    hashes = [int(one) for one in random.integers(0, 2**64, 300, np.uint64)] + [0] * 50
    for one in hashes[:100]:
        bits = random.permutation(64)[: random.integers(0, 5)]
        hashes.append(one ^ sum(1 << int(bit) for bit in bits))
    return random.permutation(np.array(hashes, np.uint64))


def test_all_pairs_of_hashes_within_two_bits_are_found_and_no_other() -> None:
    for seed in range(5):
        hashes = hashes_with_neighbours(np.random.default_rng(seed))
        pairs = itertools.combinations(range(len(hashes)), 2)
        expected = [[one, other] for one, other in pairs if int(hashes[one] ^ hashes[other]).bit_count() <= 2]
        assert len(expected) > 50 * 49 // 2
        assert similar_pairs(hashes, 10**9).tolist() == expected
    assert similar_pairs(np.empty(0, np.uint64), 9).shape == (0, 2)


def test_two_bits_anywhere_are_found() -> None:
    for one, other in itertools.combinations(range(64), 2):
        assert similar_pairs(np.array([0, 1 << one | 1 << other], np.uint64), 9).tolist() == [[0, 1]]
        assert (
            not len(similar_pairs(np.array([0, 1 << one | 1 << other | 1 << (other + 1) % 64], np.uint64), 9))
            or (other + 1) % 64 == one
        )


@pytest.fixture(scope="module", name="dataset")
def make(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of a sample that has copies, some with other masks, and of more copies that are encoded anew."""
    folder = tmp_path_factory.mktemp("duplicates")
    run_here("sample", folder / "data", f"--images={IMAGES}", f"--seed={SEED}", "--quiet")
    for name in once_in(folder / "data" / "train_images")[:ENCODED_ANEW]:
        image = Image.open(folder / "data" / "train_images" / name)
        content = image_bytes(np.asarray(image.convert("L")), quality=60)
        (folder / "data" / "train_images" / f"anew_{name}").write_bytes(content)
    changes = {"class_id": [1, 2, 3, 4], "loss": "multilabel_bce", "num_classes": 5, "image_shape": [64, 400, 1]}
    return create(folder, folder / "data", maskmill={"negatives": "all", "assignment": "hash"}, **changes)


def once_in(images: Path) -> list[str]:
    """The names of the images of a folder that are not black and have no copy."""
    contents = {path.name: path.read_bytes() for path in images.iterdir()}
    numbers = Counter(contents.values())
    return sorted(name for name, content in contents.items() if numbers[content] == 1 and len(content) > 10_000)


def found_in(dataset: Path) -> NearDuplicates:
    names = [f"class {number}" for number in (1, 2, 3, 4)]
    return find_near_duplicates(
        [look_at_split(str(dataset), split, names, Progress(), 0) for split in ("train_input", "eval_input")]
    )


def test_planted_duplicates_are_found_all_of_them_and_no_other(dataset: Path) -> None:
    found = found_in(dataset)
    plans = [plan_image(SEED, index) for index in range(IMAGES)]
    copies = [plan for index, plan in enumerate(plans) if plan.drawn_as != index]
    files = {path.name: path.read_bytes() for path in (dataset.parent / "data" / "train_images").iterdir()}
    pairs = {pair: (pair.first.image_id, pair.second.image_id) for pair in found.pairs}
    anew = [pair for pair, names in pairs.items() if any(name.startswith("anew_") for name in names)]
    assert len(copies) >= 5
    assert len(pairs) == len(copies) + ENCODED_ANEW
    assert len(anew) == ENCODED_ANEW
    for one, other in pairs.values():
        assert files[one] == files[other] or one.removeprefix("anew_") == other.removeprefix("anew_")
    plain = [pair for pair in found.pairs if pair not in anew]
    assert sum(not pair.same_masks for pair in plain) == sum(plan.marked_anew for plan in copies)
    between = [pair.between_splits for pair in found.pairs]
    assert set(between) == {True, False}
    assert between == sorted(between, reverse=True)


def test_black_images_are_listed_and_not_paired(dataset: Path) -> None:
    found = found_in(dataset)
    assert len(found.flat) == sum(plan_image(SEED, index).black for index in range(IMAGES))
    assert found.compared_all


def test_the_page_lists_the_pairs_and_says_how_many_are_between_splits(dataset: Path, tmp_path: Path) -> None:
    found, page = found_in(dataset), page_of(dataset, tmp_path)
    between = sum(pair.between_splits for pair in found.pairs)
    differ = sum(not pair.same_masks for pair in found.pairs)
    sentence = f"{len(found.pairs)} pairs of examples look the same, {between} of them in different splits; the masks"
    assert f"{sentence} of {differ} of them differ." in page.text
    first = found.pairs[0]
    row = page.row(f"{first.first.image_id} ({first.first.position})")
    assert row == [
        row[0],
        "train_input",
        f"{first.second.image_id} ({first.second.position})",
        "eval_input",
        str(first.bits),
        "equal" if first.same_masks else "differ",
    ]
    assert "example shows a single grey and is not compared: " in page.text


def test_where_all_hashes_are_equal_only_so_many_pairs_are_made() -> None:
    pairs = similar_pairs(np.zeros(40_000, np.uint64), 1000)
    assert pairs.shape == (1000, 2)
    assert len({tuple(pair) for pair in pairs.tolist()}) == 1000
    assert (pairs[:, 0] < pairs[:, 1]).all()


def test_more_pairs_than_may_be_compared_are_left_out_and_the_page_says_so(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = found_in(dataset)
    sentence = "Only 3 pairs of examples with similar hashes were compared: there are too many."
    assert sentence not in page_of(dataset, tmp_path).text
    for module in ("near_duplicates", "page"):
        monkeypatch.setattr(f"maskmill.pipeline.report.{module}.MOST_PAIRS", 3)
    few = found_in(dataset)
    assert not few.compared_all
    assert len(few.pairs) <= 3
    assert set(few.pairs) <= set(every.pairs)
    assert sentence in page_of(dataset, tmp_path).text
