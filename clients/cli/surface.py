"""`skewline surface`: a fitted volatility surface."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skewline.clients.cli.command import stack_command
from skewline.clients.cli.terminal import Terminal

if TYPE_CHECKING:
    from datetime import datetime

    from skewline.v1 import surface_pb2


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(surface)


@stack_command
def surface(
    terminal: Terminal,
    underlying: Annotated[str, typer.Argument(help="Such as SPX; empty with --id.")] = "",
    surface_id: Annotated[str, typer.Option("--id", help="The surface with this id.")] = "",
    as_of: Annotated[
        str, typer.Option(help="The newest not after this UTC time, such as 2019-05-10T19:00.")
    ] = "",
    model: Annotated[
        str, typer.Option(help="Whose parameters the table has: record, sabr, essvi or svi.")
    ] = "record",
    expiry: Annotated[str, typer.Option(help="Draw the smile of this expiry, YYYY-MM-DD.")] = "",
    history: Annotated[
        bool, typer.Option("--history", help="Factors and parameters over time instead, newest first.")
    ] = False,
    parameter: Annotated[
        list[str] | None,
        typer.Option(help="With --history: such as factor.SKEW, heston.rho, sabr.nu; may be repeated."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="With --history: at most so many surfaces.")] = 500,
    plot: Annotated[
        bool, typer.Option("--plot", help="Write smiles, surface and densities, or the history, as a page.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where the page goes.",
            show_default="surface- or history-UNDERLYING.html here",
        ),
    ] = None,
) -> None:
    """A surface of an underlying: what the market's own smiles and the models say, and what was checked."""
    from skewline.clients.cli.choices import instant_of, one_of
    from skewline.clients.cli.surface_tables import TABLES, show_summary

    columns = one_of(TABLES, "--model", model)
    if history:
        _history(terminal, underlying, parameter or [], instant_of("--as-of", as_of), limit, plot, out)
        return
    found = terminal.client.calibration.get_surface(
        underlying, surface_id=surface_id, as_of=instant_of("--as-of", as_of)
    )
    page = _page(terminal, found, out) if plot or out else None
    if terminal.as_json:
        terminal.json(found)
        return
    show_summary(terminal, found)
    columns(terminal, found)
    _models(terminal, found)
    if expiry:
        _draw(terminal, found, expiry)
    if page is not None:
        terminal.show(f"The picture: {page}")


def _history(
    terminal: Terminal,
    underlying: str,
    names: list[str],
    until: datetime | int,
    limit: int,
    plot: bool,
    out: Path | None,
) -> None:
    from skewline.clients.cli.surface_history import page_of_history, show_history

    listing = terminal.client.calibration.list_parameters(underlying, names, until=until, limit=limit)
    points = list(listing)
    page = page_of_history(underlying, points, out) if plot or out else None
    if terminal.as_json:
        terminal.json_lines(points)
        return
    show_history(terminal, underlying, names, points)
    if page is not None:
        terminal.show(f"The picture: {page}")


def _draw(terminal: Terminal, found: surface_pb2.VolSurface, expiry: str) -> None:
    from skewline.clients.cli.smile import drawn
    from skewline.clients.errors import bad_input

    slices = [fitted for fitted in found.slices if fitted.expiry_date == expiry]
    if not slices:
        dates = ", ".join(dict.fromkeys(fitted.expiry_date for fitted in found.slices))
        raise bad_input("--expiry", f"must be one of {dates or 'none: the surface has no expiry'}")
    for fitted in slices:
        terminal.show(drawn(fitted))


def _page(terminal: Terminal, found: surface_pb2.VolSurface, out: Path | None) -> Path:
    from skewline.clients.cli.surface_tables import status_text
    from skewline.clients.errors import bad_input
    from skewline.clients.report.surface_page import LOG_MONEYNESS, shown_models, write_surface_page

    models = shown_models(found)
    if not models:
        why = status_text(found.status, found.reasons)
        raise bad_input(
            "--plot", f"has nothing to draw: no model has a smile on this surface, which is {why}"
        )
    grids = terminal.client.calibration.surface_grid(
        surface_id=found.surface_id,
        log_moneyness=LOG_MONEYNESS,
        models=models,
        density=True,
        local_vol=True,
    ).grids
    return write_surface_page(found, grids, out or Path(f"surface-{found.underlying.lower()}.html"))


def _models(terminal: Terminal, found: surface_pb2.VolSurface) -> None:
    from skewline.clients.cli.surface_tables import status_text
    from skewline.clients.cli.tables import facts
    from skewline.clients.cli.wording import number, percent, word
    from skewline.v1 import surface_pb2

    heston, ou = found.heston, found.ou
    feller = "holds" if heston.feller else "does not hold"
    heston_text = (
        f"v0 {number(heston.v0, 5)}, κ {number(heston.kappa, 3)}, θ {number(heston.theta, 5)}, "
        f"σ {number(heston.sigma, 3)}, ρ {number(heston.rho, 3)}; Feller {feller}; "
        f"rmse {percent(heston.rmse, 3)} over {heston.quotes} quotes; "
        f"{status_text(heston.status, heston.reasons)}"
    )
    ou_text = (
        f"κ {number(ou.kappa, 3)} a year, mean {number(ou.mean, 4)}, σ {number(ou.sigma, 3)}, "
        f"half-life {number(ou.half_life, 3)} years; {ou.observations} observations; "
        f"{status_text(ou.status, ou.reasons)}"
    )
    models = [
        ("Heston", heston_text if found.HasField("heston") else "not fitted"),
        ("OU of log vol", ou_text if found.HasField("ou") else "not fitted"),
    ]
    models += [
        (
            f"fit of {word(surface_pb2.VolModel, each.model)}",
            f"rmse {percent(each.rmse, 3)} vol, inside {percent(each.inside_band, 1)} of {each.quotes} bands",
        )
        for each in found.models
        if each.quotes
    ]
    terminal.show(facts("Models of the whole", models))
