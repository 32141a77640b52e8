"""Keys that change what an example is, or how it is stored, in combinations; and a dataset to make with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.builders import HEIGHT, WIDTH, write_dataset

ROWS = [f"{number:02}.jpg,3,{1 + 20 * number} 11" for number in range(12)]
CROPS = {"size": [16, 8], "stride": [16, 8], "source": [HEIGHT, WIDTH]}
FEW_CROPS = {**CROPS, "empty": "none"}
NARROW = [16, 8, 1]

# Keys of the section `maskmill`, and the shape of an example.
TOGETHER: dict[str, tuple[dict[str, Any], list[int]]] = {
    "crops in arrays": ({"crops": CROPS, "layout": "arrays"}, NARROW),
    "few crops in arrays": ({"crops": FEW_CROPS, "layout": "arrays"}, NARROW),
    "crops in colour, in arrays": ({"crops": CROPS, "layout": "arrays", "colour": "rgb"}, NARROW),
    "crops in folds": ({"crops": FEW_CROPS, "assignment": "stratified", "folds": 3}, NARROW),
    "crops without labels": ({"crops": FEW_CROPS, "csv": None}, NARROW),
    "crops without labels, in arrays": ({"crops": CROPS, "csv": None, "layout": "arrays"}, NARROW),
    "padded, in arrays": ({"resize": "pad", "layout": "arrays"}, [16, 16, 1]),
    "padded, in colour": ({"resize": "pad", "colour": "rgb"}, [16, 16, 1]),
    "padded, in colour, without labels": ({"resize": "pad", "colour": "rgb", "csv": None}, [16, 16, 1]),
    "cropped, in folds, in arrays": ({"resize": "crop", "folds": 2, "layout": "arrays"}, [16, 16, 1]),
    "without labels, in arrays": ({"csv": None, "layout": "arrays"}, [8, 12, 1]),
    "splits of a file": ({"splits_file": "splits.csv", "layout": "arrays", "crops": FEW_CROPS}, NARROW),
    "equal images dropped, cropped": ({"duplicates": "drop", "crops": CROPS, "assignment": "hash"}, NARROW),
}

# Those with which clusters are tried, too: together they have every key.
ON_CLUSTERS = ("crops in colour, in arrays", "crops in folds", "padded, in colour, without labels", "splits of a file")


def write_data(folder: Path) -> Path:
    """Twelve images, two of them with equal files, and a file of splits; returns the folder."""
    data = write_dataset(folder, ROWS)
    first, second = data / "train_images" / "03.jpg", data / "train_images" / "04.jpg"
    second.write_bytes(first.read_bytes())
    lines = [f"{row.split(',')[0]},{'eval' if number % 3 else 'train'}" for number, row in enumerate(ROWS)]
    (data / "splits.csv").write_text("\n".join(["ImageId,split", *lines, ""]))
    return data


def changes(data: Path, name: str) -> dict[str, Any]:
    """Changes of a parameter file for a combination of keys."""
    ours, shape = TOGETHER[name]
    if "splits_file" in ours:
        ours = {**ours, "splits_file": str(data / ours["splits_file"])}
    return {"image_shape": shape, "maskmill": ours}
