"""Describes a dataset in the words of MLCommons Croissant 1.0, for catalogues of datasets and their tools."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from maskmill.names import ARRAYS, EVAL, EXAMPLES, GROUPS, RGB, ROWS_OF, TRAIN, group_name
from maskmill.transforms.shards.check_shard import ArrayForm

Row = tuple[object, ...]
Columns = tuple[tuple[str, str, str], ...]

_CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
# As the specification has it; tools warn about any other.
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_ENCODINGS = {
    ".csv": "text/csv",
    ".dat": "text/plain",
    ".h5": "application/x-hdf5",
    ".json": "application/json",
    ".jsonl": "application/jsonlines",
}
_BYTES = " B"
# What the specification calls the splits that most datasets have.
_USES = {TRAIN: "cr:TrainingSplit", EVAL: "cr:ValidationSplit", "test_input": "cr:TestSplit"}

_TEXT, _INTEGER, _FLOAT = "sc:Text", "sc:Integer", "sc:Float"
# Columns of the tables that are part of the description: name, type, what they say.
_SPLITS = (
    ("name", _TEXT, "Name of the split, and of the folder with its shards"),
    ("url", _TEXT, "What the split is for"),
    ("examples", _INTEGER, "Number of examples"),
    ("negatives", _INTEGER, "Number of examples without any of the classes"),
    (
        "mean",
        _FLOAT,
        "Mean of all pixels of the images, from 0 to 255; null if there are no examples, or the table channels says it",
    ),
    ("std", _FLOAT, "Standard deviation of all pixels of the images"),
)
_CHANNELS = (
    ("split", _TEXT, "Name of the split"),
    ("channel", _TEXT, "Name of a channel of the images"),
    ("mean", _FLOAT, "Mean of all pixels of the channel, from 0 to 255"),
    ("std", _FLOAT, "Standard deviation of all pixels of the channel"),
)
_ARRAYS = (
    ("split", _TEXT, "Name of the split"),
    ("array", _TEXT, "Name of the array"),
    ("path", _TEXT, "Path of the array in the HDF5 file of the shard; <index> is the index of the example"),
    ("dtype", _TEXT, "NumPy's name of the type of the elements"),
    ("shape", _TEXT, "Lengths of the axes, outermost first"),
)
_CLASSES = (
    ("split", _TEXT, "Name of the split"),
    ("class", _TEXT, "Name of the class"),
    ("examples", _INTEGER, "Number of examples with the class"),
)
_PIXELS = (
    ("split", _TEXT, "Name of the split"),
    ("class", _TEXT, "Name of a class that the labels distinguish"),
    ("pixel_share", _FLOAT, "Share of the pixels that belong to the class"),
    ("pos_weight", _FLOAT, "Number of pixels outside the class for each pixel of it; null if it has none"),
)
# Likewise of examples.csv, with where each is taken from.
_EXAMPLES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("image_id", _TEXT, "File name of the image", {"extract": {"column": "image_id"}}),
    (
        "split",
        _TEXT,
        "Name of the split",
        {"extract": {"column": "shard"}, "transform": {"regex": "^([^/]+)/"}},
    ),
    ("shard", _TEXT, "Path of the shard", {"extract": {"column": "shard"}}),
    ("index", _INTEGER, "Index of the example in its shard", {"extract": {"column": "example"}}),
)
# Those that follow in a dataset of crops.
_CROPS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("top", _INTEGER, "First row of pixels of the crop in its image", {"extract": {"column": "top"}}),
    ("left", _INTEGER, "First column of pixels of the crop in its image", {"extract": {"column": "left"}}),
)


def croissant(
    splits: Mapping[str, Mapping[str, Any]],
    files: Mapping[str, Mapping[str, Any]],
    arrays: Mapping[str, Mapping[str, ArrayForm]],
    *,
    name: str,
    licence: str | None = None,
    layout: str = GROUPS,
) -> dict[str, Any]:
    """Returns the content of croissant.json.

    Args:
        splits: entries of the splits in manifest.json.
        files: entries in manifest.json of the files beside the shards, without croissant.json.
        arrays: by split, the arrays of an example by name.
        name: of the dataset.
        licence: of the dataset; None does not say.
        layout: of the shards.
    """
    tables = (
        ("channels", _CHANNELS, _channel_rows(splits)),
        ("arrays", _ARRAYS, _array_rows(arrays, layout)),
        ("classes", _CLASSES, _class_rows(splits)),
        ("pixels", _PIXELS, _pixel_rows(splits)),
    )
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": _CONFORMS_TO,
        "name": name,
        "description": _description(splits),
        **({"license": licence} if licence is not None else {}),
        "distribution": [_file_object(*file) for file in all_files(splits, files)],
        "recordSet": [
            {**_table("splits", _SPLITS, _split_rows(splits)), "dataType": "cr:Split", "key": {"@id": "splits/name"}},
            _examples(of_crops=any("images" in entry for entry in splits.values())),
            # The specification has no table without rows.
            *(_table(name, columns, rows) for name, columns, rows in tables if rows),
        ],
    }


def all_files(
    splits: Mapping[str, Mapping[str, Any]], files: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, int, str]]:
    """Yields the path in the dataset, the size and the sha256 of each file that croissant.json lists, in order.

    Args:
        splits: as for `croissant`.
        files: as for `croissant`.
    """
    for path, entry in files.items():
        yield path, entry["bytes"], entry["sha256"]
    for split in splits.values():
        for shard in split["shards"]:
            yield shard["file"], shard["bytes"], shard["sha256"]


def listed_files(content: Mapping[str, Any]) -> list[tuple[str, int, str]]:
    """Inverts `all_files`, given the content of croissant.json.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: the content is not what `croissant` returns.
    """
    return [
        (one["name"], int(one["contentSize"].removesuffix(_BYTES)), one["sha256"]) for one in content["distribution"]
    ]


def _description(splits: Mapping[str, Mapping[str, Any]]) -> str:
    numbers = ", ".join(f"{entry['examples']} in {split}" for split, entry in splits.items())
    labelled = all(entry.get("labels", True) for entry in splits.values())
    what = "Images and labels made of masks" if labelled else "Images without labels"
    return (
        f"{what}, in HDF5 files: {numbers}. {EXAMPLES} lists the shard of each example and "
        "its index there; the record set arrays says where its arrays are in the shard."
    )


def _file_object(path: str, size: int, sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": quote(path),
        "name": path,
        "contentUrl": quote(path),
        "contentSize": f"{size}{_BYTES}",
        "encodingFormat": _ENCODINGS[os.path.splitext(path)[1]],
        "sha256": sha256,
    }


def _field(record_set: str, name: str, data_type: str, description: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{name}",
        "name": name,
        "description": description,
        "dataType": data_type,
    }


def _table(name: str, columns: Columns, rows: Iterable[Row]) -> dict[str, Any]:
    """Makes a record set whose records are part of the description."""
    fields = [_field(name, *column) for column in columns]
    data = [{field["@id"]: value for field, value in zip(fields, row, strict=True)} for row in rows]
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "field": fields, "data": data}


def _examples(*, of_crops: bool) -> dict[str, Any]:
    """Makes the record set whose records are the lines of examples.csv."""
    fields = [
        {**_field("examples", *column), "source": {"fileObject": {"@id": EXAMPLES}, **source}}
        for *column, source in (_EXAMPLES + _CROPS if of_crops else _EXAMPLES)
    ]
    key = [{"@id": "examples/shard"}, {"@id": "examples/index"}]
    return {"@type": "cr:RecordSet", "@id": "examples", "name": "examples", "key": key, "field": fields}


def _split_rows(splits: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    return [
        (name, _USES.get(name), entry["examples"], _negatives(entry), *_mean_and_std(entry["statistics"] or {}))
        for name, entry in splits.items()
    ]


def _negatives(entry: Mapping[str, Any]) -> object:
    return entry["negatives"] if entry.get("labels", True) else None


def _mean_and_std(statistics: Mapping[str, Any]) -> tuple[object, object]:
    numbers = statistics.get("mean"), statistics.get("std")
    return (None, None) if isinstance(numbers[0], list) else numbers


def _channel_rows(splits: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    found = {split: entry["statistics"] for split, entry in splits.items() if entry["statistics"]}
    return [
        (split, *row)
        for split, statistics in found.items()
        if isinstance(statistics["mean"], list)
        for row in zip(RGB, statistics["mean"], statistics["std"], strict=True)
    ]


def _array_rows(arrays: Mapping[str, Mapping[str, ArrayForm]], layout: str) -> list[Row]:
    return [
        (split, name, _path_of(name, layout), form.dtype.name, ",".join(map(str, form.shape)))
        for split, forms in arrays.items()
        for name, form in forms.items()
    ]


def _path_of(name: str, layout: str) -> str:
    return f"{ROWS_OF[name]}[<index>]" if layout == ARRAYS else f"{group_name('<index>')}/{name}"


def _class_rows(splits: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    return [(split, *item) for split, entry in splits.items() for item in entry["classes"].items()]


def _pixel_rows(splits: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    return [
        (split, name, share, entry["statistics"]["pos_weight"][name])
        for split, entry in splits.items()
        if entry["statistics"]
        for name, share in entry["statistics"]["pixel_share"].items()
    ]
