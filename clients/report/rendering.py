"""How pages are made: templates, with their styles, scripts and figures inside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import plotly.graph_objects as go
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from skewline.clients.demo import wording

_FOLDER: Final = Path(__file__).parent


def render(template: str, **content: Any) -> str:
    """The page as one HTML document that loads nothing from anywhere."""
    pages = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["figure_json"] = _embedded
    pages.filters["money"] = wording.money
    pages.filters["vol"] = wording.vol
    pages.filters["number"] = wording.number
    return pages.get_template(template).render(
        style=_text("page.css"), script=_text("page.js"), plotly=Markup(get_plotlyjs()), **content
    )


def written(html: str, path: Path) -> Path:
    """Write `html` to `path` (its folder is made), all of it or nothing; returns the absolute path."""
    path = path.expanduser().absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(html, encoding="utf-8")
    fresh.replace(path)
    return path


def _text(name: str) -> Markup:
    # Files of ours, no data in them: the only text that goes in as it is.
    return Markup((_FOLDER / name).read_text(encoding="utf-8"))


def _embedded(figure: go.Figure) -> Markup:
    """JSON that may stand inside a script element, whatever text is in it."""
    content = json.dumps(json.loads(figure.to_json()), separators=(",", ":"), ensure_ascii=True)
    escaped = content.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(escaped)
