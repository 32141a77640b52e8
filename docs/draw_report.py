"""Draws images/report.png, the picture in README.md: the top of a report page about the sample dataset.

    apt-get install --no-install-recommends chromium fonts-dejavu-core
    .venv/bin/pip install -e '.[report,test-browser]'
    .venv/bin/python docs/draw_report.py

The sample dataset is the same each time, and so are the numbers in the picture.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parent / "images" / "report.png"
CHROMIUM = "/usr/bin/chromium"
# Three charts fit in a row. The picture ends after two rows of samples.
WIDTH, SAMPLES = 1240, 8
PARAMS = """\
train_input: &train_input
  data_processor: SeverstalBinaryClassDataProcessor
  data_dir: severstal
  image_shape: [128, 800, 1]
  train_test_split: 0.85
  num_classes: 5
  class_id: all
eval_input: *train_input
model:
  loss: multilabel_bce
maskmill:
  negatives: all
  assignment: stratified
"""


def write_report(folder: Path) -> Path:
    """Makes a dataset in a folder and returns the path of its report page."""
    (folder / "params.yaml").write_text(PARAMS, encoding="utf-8")
    for command in (
        "sample severstal --images 400 --quiet",
        "create --params params.yaml --output_dir severstal_hdf5 --quiet --report report.html",
    ):
        # In the folder, so that the page shows names and not paths.
        subprocess.run([sys.executable, "-m", "maskmill", *command.split()], cwd=folder, check=True)  # noqa: S603
    return folder / "report.html"


def take_screenshot(page: Path) -> bytes:
    """Returns a PNG of the top of a page, in its light colours."""
    with sync_playwright() as playwright:
        # Chromium's sandbox does not start in a container, and this page is our own.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        tab.goto(page.as_uri())
        last = tab.locator(".samples figure").nth(SAMPLES - 1).bounding_box()
        height = last["y"] + last["height"] + 16
        picture = tab.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": height})
        browser.close()
    return picture


def main() -> None:
    """Draws the picture."""
    with tempfile.TemporaryDirectory() as folder:
        picture = take_screenshot(write_report(Path(folder)))
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_bytes(picture)


if __name__ == "__main__":
    main()
