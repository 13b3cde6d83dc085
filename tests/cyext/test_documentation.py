"""The page on the kernels: its examples run and print what it says."""

import doctest
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "deploy" / "docs" / "kernels.md"
KERNELS = {"american", "black", "book", "essvi", "heston", "ou", "portfolio", "sabr", "variance_smile"}


def test_every_example_prints_what_the_page_says() -> None:
    text = PAGE.read_text(encoding="utf-8").replace("```", "")
    page = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    assert len(page.examples) > 20
    report: list[str] = []
    results = doctest.DocTestRunner().run(page, out=report.append)
    assert results.failed == 0, "".join(report)


@pytest.mark.parametrize("kernel", sorted(KERNELS))
def test_every_kernel_has_a_section(kernel: str) -> None:
    assert f"\n## {kernel}\n" in PAGE.read_text(encoding="utf-8")
