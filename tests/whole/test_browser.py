"""`maskmill report`: the page, as Chromium shows it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.support.builders import params_of, write_dataset
from tests.support.command import create_here, run_here
from tests.support.needs import needs, needs_package
from tests.support.page_layout import layout_problems

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


NAMES = ["scratch", "pit", "a class with a long name", "edge", "ink", "roll mark"]
SPLITS = {"train_input": 0.6, "eval_input": 0.2, "test_input": 0.1, "a_split_with_a_long_name_input": 0.1}


def write_wide_images(folder: Path) -> Path:
    """The report of wide images in four classes, with a name that is long and odd, duplicates and rejected rows."""
    run_here("sample", folder / "data", "--images=320", "--quiet")
    with (folder / "data" / "train.csv").open("a") as table:
        table.write("no_such_image.jpg,3,1 2\n")
    changes = {"loss": "multilabel_bce", "class_id": [1, 2, 3, 4], "num_classes": 5, "image_shape": [128, 800, 1]}
    return report(folder, "a long name " * 8 + "of_a_dataset" * 6, maskmill={"negatives": "all"}, **changes)


def write_one_class(folder: Path, *flags: str) -> Path:
    """The report of square images in one class."""
    run_here("sample", folder / "data", "--images=160", "--quiet")
    return report(folder, "one", *flags, image_shape=[64, 64, 1], maskmill={"negatives": "all"})


def write_many_shards(folder: Path) -> Path:
    """The same in many shards."""
    return write_one_class(folder, "--num_output_files=500")


def write_six_classes(folder: Path) -> Path:
    """The report of six classes in four splits; some have few examples, or a single area."""
    random = np.random.default_rng(0)
    rows = [
        f"{number:03}.jpg,{NAMES[kind]},{random.integers(1, 100)} {1 if kind == 1 else random.integers(1, 200)}"
        for number in range(120)
        for kind in random.permutation(6)[: 1 + number % 2]
    ]
    write_dataset(folder / "data", rows)
    ours = {"classes": NAMES, "splits": SPLITS, "assignment": "hash"}
    params = params_of(folder / "data", loss="ssce", class_id="all", num_classes=7, maskmill=ours)
    params.update(dict.fromkeys(SPLITS, params["train_input"]))
    return report(folder, "six", "--num_output_files=1", params=params)


WRITERS = {
    "wide": write_wide_images,
    "one class": write_one_class,
    "many shards": write_many_shards,
    "six classes": write_six_classes,
}


def report(folder: Path, output: str, *flags: str, params: dict[str, Any] | None = None, **changes: Any) -> Path:
    content = params or params_of(folder / "data", **changes)
    (folder / "params.yaml").write_text(yaml.safe_dump(content))
    page = folder / "report.html"
    create_here(folder / "params.yaml", folder / output, "--max_rejected=1", f"--report={page}", *flags)
    return page


@pytest.fixture(scope="module", name="pages")
def make_pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    needs_package("matplotlib", "report")
    return {name: write(tmp_path_factory.mktemp("browser")) for name, write in WRITERS.items()}


@pytest.fixture(scope="module", name="browser")
def start_browser() -> Iterator[Browser]:
    needs("chromium")
    needs_package("playwright", "test-browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.mark.parametrize("width", [2000, 1280, 400])
@pytest.mark.parametrize("name", WRITERS)
def test_texts_do_not_overlap_and_legends_are_not_on_data(
    browser: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    tab = browser.new_page(viewport={"width": width, "height": 900})
    tab.goto(pages[name].as_uri())
    assert layout_problems(tab) == []
    tab.close()


def test_a_legend_on_data_and_texts_that_overlap_are_found(browser: Browser, pages: dict[str, Path]) -> None:
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.goto(pages["one class"].as_uri())
    tab.evaluate("""() => {
      const legend = document.querySelector('[aria-label="Brightness"] [id$="legend"]');
      legend.setAttribute("transform", "translate(0, -100)");
      const [one, other] = document.querySelectorAll('[aria-label="Size of the shards"] text');
      one.setAttribute("transform", other.getAttribute("transform"));
      one.setAttribute("x", other.getAttribute("x")); one.setAttribute("y", other.getAttribute("y"));
      document.querySelector("h2").style.width = "1500px";
    }""")
    found = layout_problems(tab)
    assert "Brightness: legend on data" in found
    assert any(re.fullmatch('Size of the shards: ".+" is over ".+"', problem) for problem in found)
    assert any("too wide" in problem for problem in found)
    tab.close()


def test_samples_are_two_beside_each_other_on_a_phone(browser: Browser, pages: dict[str, Path]) -> None:
    tab = browser.new_page(viewport={"width": 400, "height": 900})
    tab.goto(pages["wide"].as_uri())
    boxes = [tab.locator(".samples figure").nth(index).bounding_box() for index in range(3)]
    places = [(round(box["x"]), round(box["y"])) for box in boxes if box]
    assert places[0][1] == places[1][1] < places[2][1]
    assert places[0][0] == places[2][0] < places[1][0]
    tab.close()


@pytest.mark.parametrize(("width", "is_there"), [(400, True), (1280, False)])
def test_a_table_that_scrolls_has_a_shadow_where_it_goes_on(
    browser: Browser, pages: dict[str, Path], width: int, is_there: bool
) -> None:
    tab = browser.new_page(viewport={"width": width, "height": 900})
    tab.goto(pages["one class"].as_uri())
    table = tab.locator(".scroll").first
    grey = np.asarray(Image.open(io.BytesIO(table.screenshot())).convert("L")).astype(int)
    # Between the lines of the table, at its right edge.
    assert (grey[3, -3] < 245) == is_there
    assert grey[3, 3] > 245
    tab.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [2000, 1280, 400])
def test_it_looks_right(browser: Browser, pages: dict[str, Path], width: int, scheme: str) -> None:
    page = pages["wide"]
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
    assert layout_problems(tab) == []
    images = "[...document.images].map(image => image.naturalWidth > 0 && image.clientWidth > 100)"
    assert tab.evaluate(images) == [True] * 24
    # A message is lines of words, and not of letters.
    message = tab.locator("td.text").first.bounding_box()
    assert message is not None
    assert message["width"] > message["height"]
    charts = tab.locator("section.panel svg")
    assert charts.count() == 8
    for index in range(8):
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
