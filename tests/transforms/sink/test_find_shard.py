"""A shard that is there already is found, the cheapest way first, and nothing is changed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from maskmill.transforms.files.checksums import sha256_of
from maskmill.transforms.shards.records import KEPT, REUSED, WRITTEN, ReusableShard, StoredShard
from maskmill.transforms.shards.staging import local_attempt, stage
from maskmill.transforms.sink.find_shard import SinkOptions, find_shard
from tests.support.builders import write_images
from tests.support.shards import FORM, KEY, spec_of


@pytest.fixture(name="options")
def make_options(tmp_path: Path) -> SinkOptions:
    write_images(tmp_path / "images", ["a.jpg"])
    return SinkOptions(forms={"train_input": FORM}, staging=str(tmp_path / "staging"))


def stored_of(fingerprint: str, sha256: str = "0") -> StoredShard:
    return StoredShard(1, 7, sha256, fingerprint)


def put(staged: str, fingerprint: str) -> StoredShard:
    """Stages a file."""
    Path(staged).parent.mkdir(parents=True, exist_ok=True)
    with local_attempt(staged) as attempt:
        Path(attempt).write_bytes(b"content")
        stored = stored_of(fingerprint, sha256_of(attempt))
        stage(attempt, staged, stored)
    return stored


def test_a_new_shard_has_to_be_written(tmp_path: Path, options: SinkOptions) -> None:
    found = find_shard(KEY, [spec_of(tmp_path / "images/a.jpg")], options)
    assert (found.state, found.stored, found.copy_from) == (WRITTEN, None, None)
    assert found.staged == str(tmp_path / f"staging/train_input/{found.version.fingerprint[:16]}-data-0_p0.h5")
    assert not (tmp_path / "staging").exists()


def test_the_dataset_comes_before_the_staging_folder_and_that_before_another_dataset(
    tmp_path: Path, options: SinkOptions
) -> None:
    specs = [spec_of(tmp_path / "images/a.jpg")]
    _, staged, *_ = new = find_shard(KEY, specs, options)
    reusable = ReusableShard("/elsewhere/a.h5", stored_of(new.version.fingerprint))
    options = dataclasses.replace(options, reusable={new.version.fingerprint: reusable})
    assert find_shard(KEY, specs, options) == new._replace(state=REUSED, stored=reusable.stored, copy_from=reusable)
    stored = put(staged, new.version.fingerprint)
    assert find_shard(KEY, specs, options) == new._replace(stored=stored)
    published = stored_of(new.version.fingerprint, "published")
    options = dataclasses.replace(options, published={KEY.path: published})
    assert find_shard(KEY, specs, options) == new._replace(state=KEPT, stored=published)


def test_what_has_another_fingerprint_is_not_taken(tmp_path: Path, options: SinkOptions) -> None:
    specs = [spec_of(tmp_path / "images/a.jpg")]
    other = stored_of("another")
    options = dataclasses.replace(
        options, published={KEY.path: other}, reusable={"another": ReusableShard("/elsewhere/a.h5", other)}
    )
    found = find_shard(KEY, specs, options)
    put(str(Path(found.staged).with_name("another-data-0_p0.h5")), "another")
    assert find_shard(KEY, specs, options).stored is None


def test_a_touched_image_changes_the_fingerprint_unless_contents_count(tmp_path: Path, options: SinkOptions) -> None:
    by_content = dataclasses.replace(options, checksum=True)
    first = spec_of(tmp_path / "images/a.jpg")
    touched = first._replace(image=first.image._replace(modified=first.image.modified + 1))

    def fingerprints(options: SinkOptions) -> set[str]:
        return {find_shard(KEY, [one], options).version.fingerprint for one in (first, touched)}

    assert (len(fingerprints(options)), len(fingerprints(by_content))) == (2, 1)
