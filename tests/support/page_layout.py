"""What is wrong with the layout of a page in a browser, by the boxes of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Two boxes may share so many pixels at an edge: a box has room above and below the letters.
_PROBLEMS = """() => {
  const SHARED = 2;
  const problems = [];
  const overlap = (one, other) =>
    Math.min(one.right, other.right) - Math.max(one.left, other.left) > SHARED &&
    Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > SHARED;
  const inside = (one, other) => one.left >= other.left - 1 && one.right <= other.right + 1 &&
    one.top >= other.top - 1 && one.bottom <= other.bottom + 1;
  const page = {left: 0, right: document.documentElement.clientWidth, top: -1e9, bottom: 1e9};
  const ids = [...document.querySelectorAll("[id]")].map(part => part.id);
  if (new Set(ids).size < ids.length) problems.push("an id is there twice");
  for (const section of document.querySelectorAll("section.panel")) {
    const title = section.getAttribute("aria-label");
    const svg = section.querySelector("svg");
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].map(part => [part.textContent, part.getBoundingClientRect()]);
    if (!texts.length) problems.push(`${title}: there is no text`);
    texts.forEach(([text, box], index) => {
      if (!inside(box, frame) || !inside(box, page)) problems.push(`${title}: "${text}" is cut off`);
      for (const [other, otherBox] of texts.slice(index + 1))
        if (overlap(box, otherBox)) problems.push(`${title}: "${text}" is over "${other}"`);
    });
    const areas = [...svg.querySelectorAll('[id*="data-area"]')].map(part => part.getBoundingClientRect());
    for (const legend of svg.querySelectorAll('[id$="legend"]'))
      if (areas.some(area => overlap(area, legend.getBoundingClientRect()))) problems.push(`${title}: legend on data`);
  }
  return problems;
}"""


def layout_problems(tab: Page) -> list[str]:
    """Looks for texts of charts that overlap or are cut off, for legends on data, and for a page that is too wide.

    Returns:
        a sentence for each.
    """
    problems: list[str] = tab.evaluate(_PROBLEMS)
    wide = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*problems, *([f"the page is {wide} pixels too wide"] if wide > 0 else [])]
