"""Compares two datasets: example by example, as far as necessary by their pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TextIO

from maskmill import DatasetError
from maskmill.example_list import ListedExample
from maskmill.format_version import same_bytes
from maskmill.names import MANIFEST, split_of
from maskmill.pipeline.dataset.changed_parameters import FORM, changed_parameters, names_with_effect
from maskmill.pipeline.dataset.changes import pair_examples
from maskmill.pipeline.dataset.dataset_facts import DatasetFacts, read_facts
from maskmill.pipeline.diff.stored_examples import StoredExamples
from maskmill.pipeline.errors import DamagedError, UsageError
from maskmill.pipeline.messages.progress_bar import show_progress
from maskmill.transforms.files.paths import absolute
from maskmill.transforms.parallel.progress import Progress

Pair = tuple[ListedExample, ListedExample]


class Difference(NamedTuple):
    """How two datasets differ.

    Attributes:
        old: facts of the first dataset.
        new: facts of the second one.
        added: examples that only the new dataset has.
        removed: examples that only the old one has.
        moved: examples in another split, (old, new), as in the following.
        reordered: examples at another place in the same split.
        image: examples with another image.
        mask: examples with another mask.
        form: examples whose arrays have another shape or dtype, so that their contents cannot be compared.
        parameters: old and new value of the parameters that differ, by the path of the key.
    """

    old: DatasetFacts
    new: DatasetFacts
    added: list[ListedExample]
    removed: list[ListedExample]
    moved: list[Pair]
    reordered: list[Pair]
    image: list[Pair]
    mask: list[Pair]
    form: list[Pair]
    parameters: Mapping[str, tuple[Any, Any]]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        examples = (self.added, self.removed, self.moved, self.reordered, self.image, self.mask, self.form)
        return not any(examples) and not self.parameters


def compare_datasets(old: str, new: str, *, quiet: bool, err: TextIO) -> Difference:
    """Compares two datasets.

    Args:
        old: folder of a dataset, as given.
        new: folder of another.
        quiet: shows no progress.
        err: shows progress.

    Raises:
        DamagedError: one of them is damaged, or there is none.
        UsageError: a dataset does not record the names of its images, or reading it needs a library.
    """
    try:
        before, after = (StoredExamples(folder, _read(folder)) for folder in (old, new))
        return _compare(before, after, quiet=quiet, err=err)
    except DatasetError as error:
        raise DamagedError(str(error)) from error
    except ImportError as error:  # fsspec, or what it needs for a store
        raise UsageError(str(error)) from error


def _read(folder: str) -> DatasetFacts:
    mend = "copy the dataset again, or make it again"
    try:
        return read_facts(absolute(folder))
    except FileNotFoundError as error:
        advice = f"name the folder in which {MANIFEST} lies"
        raise DamagedError(f"{folder}: there is no whole dataset of maskmill ({error}); {advice}") from error
    except OSError as error:
        raise DamagedError(f"{folder}: cannot be read ({error}); {mend}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedError(f"{folder}: a file beside its shards is damaged ({error}); {mend}") from error


def _compare(before: StoredExamples, after: StoredExamples, *, quiet: bool, err: TextIO) -> Difference:
    pairs: list[Pair] = []
    added, removed = [], []
    for earlier, one in pair_examples(before.listed(), after.listed()):
        if earlier and one:
            pairs.append((earlier, one))
        else:
            added += [one] if one else []
            removed += [earlier] if earlier else []
    old, new = before.facts, after.facts
    parameters = changed_parameters(old.parameters, new.parameters)
    same_form = same_bytes(old.format_version, new.format_version) and FORM.isdisjoint(names_with_effect(parameters))
    doubtful = [pair for pair in pairs if not _is_proved_same(pair, before, after, same_form=same_form)]
    doubtful.sort(key=lambda pair: (pair[0].shard, pair[0].example))
    image, mask, form = [], [], []
    progress = Progress()
    progress.expect(len(doubtful))
    with show_progress(progress, err, quiet=quiet, unit="examples"):
        for pair in doubtful:
            kind = before.read(pair[0]).differs_from(after.read(pair[1]))
            if kind is None:
                form.append(pair)
            else:
                image += [pair] if kind.image else []
                mask += [pair] if kind.mask else []
            progress.add(1)
    return Difference(
        old=old,
        new=new,
        added=added,
        removed=removed,
        moved=[pair for pair in pairs if split_of(pair[0].shard) != split_of(pair[1].shard)],
        reordered=list(_reordered(pairs)),
        image=image,
        mask=mask,
        form=form,
        parameters=parameters,
    )


def _is_proved_same(pair: Pair, before: StoredExamples, after: StoredExamples, *, same_form: bool) -> bool:
    """Whether the files beside the shards prove that image and label of a pair are the same."""
    old, new = pair
    if before.sha256(old.shard) == after.sha256(new.shard) and old.example == new.example:
        return True
    return same_form and old.image != "" and (old.image, old.mask) == (new.image, new.mask)


def _reordered(pairs: list[Pair]) -> Iterator[Pair]:
    for old, new in pairs:
        if split_of(old.shard) == split_of(new.shard) and (old.shard, old.example) != (new.shard, new.example):
            yield old, new
