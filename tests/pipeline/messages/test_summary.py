"""The summary of a run, as people read it."""

from __future__ import annotations

from maskmill.pipeline.messages.summary import summarise

LOOK = "maskmill report out"


def test_summary_is_for_people() -> None:
    shard = {"file": "x", "examples": 3, "bytes": 10, "sha256": "", "fingerprint": ""}
    manifest = {
        "rows": {"read": 10, "in_examples": 4, "filtered": {"of another class": 6, "in no split": 0}, "merged": 1},
        "splits": {"train_input": {"examples": 3, "bytes": 2_500_000, "overlaps": {"pixels": 0}, "shards": [shard]}},
        "rejected": {"CLASS_INVALID": 2, "IMAGE_EMPTY": 1},
        "shared_images": 1,
        "notes": {"rows with overlapping runs, which are united": 2, "another": 0},
    }
    assert summarise(manifest, "out", {"written": 1}, 1.5, LOOK).splitlines() == [
        "10 rows read, 4 of them in examples",
        "  6 filtered: of another class",
        "  1 merged with an earlier row of the same example",
        "3 rejected: 2 CLASS_INVALID, 1 IMAGE_EMPTY; they are listed in out/rejected.jsonl",
        "  note: rows with overlapping runs, which are united: 2",
        "train_input: 3 examples in 1 shard, 2.5 MB",
        "warning: 1 image in more than one split",
        "1.5 s, 2 examples a second",
        "the dataset is in out; to look at it: maskmill report out",
    ]
    assert "nothing to do: no shard has changed; 1.5 s" in summarise(manifest, "out", {}, 1.5, LOOK)
    manifest["splits"]["train_input"]["shards"].append(shard)
    states = {"written": 1, "kept": 1, "reused": 0}
    assert "1 of 2 shards are kept, the others are new; 1.5 s" in summarise(manifest, "out", states, 1.5, LOOK)
    states = {"written": 0, "kept": 0, "reused": 2}
    assert "2 of 2 shards are taken from an earlier dataset; 1.5 s" in summarise(manifest, "out", states, 1.5, LOOK)
    states = {"written": 0, "kept": 2, "reused": 0}
    assert "no shard has changed; the files beside them are new; 1.5 s" in summarise(manifest, "out", states, 1.5, LOOK)
