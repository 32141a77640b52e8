"""Draws docs/images/report.png, the picture of the README: the top of the report about a sample dataset.

python docs/draw_report.py

It needs the libraries of `maskmill report`, playwright, and Chromium.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from maskmill.pipeline.cli import main as maskmill

PICTURE = Path(__file__).parent / "images" / "report.png"
CHROMIUM = "/usr/bin/chromium"
WIDTH, HEIGHT = 1100, 1205
# Colours of the picture: enough for text and charts, and a small file.
COLOURS = 128
PARAMS = """
train_input: &train_input
  data_processor: SeverstalBinaryClassDataProcessor
  data_dir: severstal
  image_shape: [128, 800, 1]
  train_test_split: 0.85
  num_classes: 5
  class_id: all
  batch_size: 8
eval_input:
  <<: *train_input
model:
  loss: multilabel_bce
"""


def write_report(folder: Path) -> Path:
    """Makes a sample dataset and its report in a folder; returns the page."""
    params, output, page = folder / "params.yaml", folder / "severstal_hdf5", folder / "report.html"
    params.write_text(PARAMS.replace("severstal\n", f"{folder / 'severstal'}\n"), encoding="utf-8")
    for command in (
        ["sample", str(folder / "severstal"), "--images", "600", "--quiet"],
        ["create", "--params", str(params), "--output_dir", str(output), "--quiet", "--report", str(page)],
    ):
        if status := maskmill(command):
            raise SystemExit(status)
    # The names of temporary folders say nothing.
    page.write_text(page.read_text(encoding="utf-8").replace(f"{folder}/", ""), encoding="utf-8")
    return page


def photograph(page: Path) -> Image.Image:
    """Opens a page in Chromium; returns its top."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
            tab.goto(page.as_uri())
            return Image.open(io.BytesIO(tab.screenshot()))
        finally:
            browser.close()


def main() -> None:
    """Draws the picture."""
    with tempfile.TemporaryDirectory() as folder:
        picture = photograph(write_report(Path(folder)))
    PICTURE.parent.mkdir(exist_ok=True)
    picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURE, "PNG", optimize=True)


if __name__ == "__main__":
    main()
