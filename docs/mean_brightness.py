"""Computes the mean grey level of the images of each class, with a pipeline built from the transforms of maskmill.

python docs/mean_brightness.py DATA_DIR
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable

import apache_beam as beam

from maskmill.transforms.annotations.columns import RowFormat
from maskmill.transforms.annotations.group_by_image import GroupByImage
from maskmill.transforms.annotations.inspect_csv import inspect_csv
from maskmill.transforms.annotations.list_images import ListImages
from maskmill.transforms.annotations.read_annotations import ReadAnnotations
from maskmill.transforms.annotations.records import Source
from maskmill.transforms.assignment.select_examples import SelectExamples
from maskmill.transforms.assignment.splits import Selection
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.make_example import ExampleArrays
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.sink.decode_examples import DecodeExamples

HEIGHT, WIDTH = 256, 1600
CLASSES = (1, 2, 3, 4)


def grey_by_class(named: tuple[str, ExampleArrays]) -> Iterable[tuple[int, float]]:
    """Yields the mean grey level of an example for each class in it; channel i of its label is class i."""
    _, (image, label) = named
    for class_id in CLASSES:
        if label[class_id].any():
            yield class_id, float(image.mean())


def main() -> None:
    """Runs the pipeline in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", metavar="DATA_DIR")
    data_dir = os.path.abspath(parser.parse_args().data_dir)
    path, folders = os.path.join(data_dir, "train.csv"), ((os.path.join(data_dir, "train_images"),),)
    file = inspect_csv(path, os.path.getsize(path), RowFormat(), sources=((0, 0),))
    form = ExampleFormat((HEIGHT, WIDTH), LabelFormat("multilabel_bce", len(CLASSES) + 1, HEIGHT, WIDTH, CLASSES))
    with beam.Pipeline(runner="FnApiRunner") as pipeline:
        rows = (pipeline | ReadAnnotations(files=(file,), sources=(Source(0, frozenset(CLASSES)),))).rows
        listed = pipeline | ListImages(folders=folders)
        images = (rows | GroupByImage(files=listed.files, folders=folders)).images
        selected = (images | SelectExamples(selections=[Selection(0, CLASSES)])).examples
        decoded = selected | "Specs" >> beam.Map(lambda one: one.spec) | DecodeExamples(form=form)
        greys = decoded.examples | "GreyByClass" >> beam.FlatMap(grey_by_class)
        counts = greys | "Count" >> beam.combiners.Count.PerKey()
        means = greys | "Mean" >> beam.combiners.Mean.PerKey()
        _ = (
            {"images": counts, "mean": means}
            | "Join" >> beam.CoGroupByKey()
            | "Print"
            >> beam.MapTuple(
                lambda class_id, one: print(
                    f"class {class_id}: {one['images'][0]} images, mean grey {one['mean'][0]:.1f}"
                )
            )
        )


if __name__ == "__main__":
    main()
