"""`maskmill report`: the page, as Chromium shows it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from maskmill.pipeline.cli import main
from tests.support.command import ROOT
from tests.support.needs import needs, needs_package

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

# No sandbox, which a container does not allow, and nothing that asks the network.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module", name="page")
def make_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a dataset of wide images in four classes, with a name that is long and odd, and a rejected row."""
    needs_package("matplotlib", "report")
    folder = tmp_path_factory.mktemp("browser")
    assert main(["sample", str(folder / "data"), "--images", "60", "--quiet"]) == 0
    with (folder / "data" / "train.csv").open("a") as table:
        table.write("no_such_image.jpg,3,1 2\n")
    text = (ROOT / "configs" / "quickstart.yaml").read_text().replace("quickstart/data", str(folder / "data"))
    text = text.replace("class_id: 3", "class_id: all").replace("num_classes: 2", "num_classes: 5")
    text = text.replace("loss: bce", "loss: multilabel_bce").replace("[256, 256, 1]", "[128, 800, 1]")
    (folder / "params.yaml").write_text(text)
    output = folder / ("a long name " * 8 + "of_a_dataset" * 6)
    arguments = ["create", "--params", str(folder / "params.yaml"), "--output_dir", str(output)]
    assert main([*arguments, "--max_rejected=1", "--quiet", "--report", str(folder / "report.html")]) == 0
    return folder / "report.html"


@pytest.fixture(scope="module", name="browser")
def start_browser() -> Iterator[Browser]:
    needs("chromium")
    needs_package("playwright", "test-browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_it_looks_right(browser: Browser, page: Path, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    tab = context.new_page()
    problems: list[str] = []
    tab.on("console", lambda message: problems.append(message.text))
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on("requestfailed", lambda request: problems.append(request.url))
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url[:80]))
    tab.goto(page.as_uri())
    tab.click("summary")
    assert problems == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    # Nothing is wider than the page, but what scrolls in a place of its own.
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    images = "[...document.images].map(image => image.naturalWidth > 0 && image.clientWidth > 100)"
    assert tab.evaluate(images) == [True] * 24
    # A message is lines of words, and not of letters.
    message = tab.locator("td.text").bounding_box()
    assert message is not None
    assert message["width"] > message["height"]
    charts = tab.locator("section.panel svg")
    assert charts.count() == 6
    for index in range(6):
        box = charts.nth(index).bounding_box()
        assert box is not None
        assert box["width"] > 250
        assert box["height"] > 150
        check_drawn(charts.nth(index).screenshot(), dark=scheme == "dark")
    check_drawn(tab.screenshot(full_page=True), dark=scheme == "dark")
    context.close()


def check_drawn(screenshot: bytes, *, dark: bool) -> None:
    """Looks for a background of the scheme, and for something that stands out from it."""
    grey = np.asarray(Image.open(io.BytesIO(screenshot)).convert("L")).astype(int)
    background = np.bincount(grey.ravel(), minlength=256).argmax()
    assert (background < 64) if dark else (background > 192)
    contrast = np.abs(grey - background)
    assert (contrast > 100).mean() > 0.005
