"""`skewline surface`: a fitted volatility surface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from skewline.clients.cli.command import stack_command
from skewline.clients.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skewline.v1 import surface_pb2


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(surface)


@stack_command
def surface(
    terminal: Terminal,
    underlying: Annotated[str, typer.Argument(help="Such as SPX; empty with --id.")] = "",
    surface_id: Annotated[str, typer.Option("--id", help="The surface with this id.")] = "",
    plot: Annotated[bool, typer.Option("--plot", help="Draw the smile of each expiry.")] = False,
    expiry: Annotated[str, typer.Option(help="Draw only this expiry, YYYY-MM-DD.")] = "",
) -> None:
    """The newest surface of an underlying: forward, smile and fit of each expiry; Heston and OU."""
    found = terminal.client.calibration.get_surface(underlying, surface_id=surface_id)
    if terminal.as_json:
        terminal.json(found)
        return
    _summarise(terminal, found)
    _expiries(terminal, found)
    _models(terminal, found)
    if plot or expiry:
        from skewline.clients.cli.smile import drawn

        for fitted in found.slices:
            if expiry in ("", fitted.expiry_date):
                terminal.show(drawn(fitted))


def _status(status: surface_pb2.FitStatus.ValueType, reasons: Sequence[str]) -> str:
    from skewline.clients.cli.wording import word
    from skewline.v1 import surface_pb2

    return word(surface_pb2.FitStatus, status) + (f" ({', '.join(reasons)})" if reasons else "")


def _summarise(terminal: Terminal, found: surface_pb2.VolSurface) -> None:
    from skewline.clients.cli.tables import facts
    from skewline.clients.cli.wording import number, percent, provenance, time_text

    excluded = ", ".join(f"{count.reason} {count.count}" for count in found.excluded)
    terminal.show(
        facts(
            f"{found.underlying} volatility surface",
            [
                ("time", time_text(found.time_ns)),
                ("provenance", provenance(found.provenance)),
                ("status", _status(found.status, found.reasons)),
                ("spot", f"{number(found.spot)} {found.currency}"),
                ("ATM vol, 30 days", percent(found.atm_vol_30d)),
                ("SABR rmse", f"{percent(found.rmse, 3)} vol over {found.quotes} quotes"),
                ("not used", excluded or "none"),
                ("surface", found.surface_id),
                ("snapshot", found.snapshot_id),
            ],
        )
    )


def _expiries(terminal: Terminal, found: surface_pb2.VolSurface) -> None:
    from skewline.clients.cli.tables import table
    from skewline.clients.cli.wording import number, percent, word
    from skewline.v1 import instrument_pb2

    columns = ["expiry", "root", "settles", ">days", ">forward", ">± s.e.", ">discount", ">ATM vol"]
    columns += [">α", ">β", ">ρ", ">ν", ">rmse", ">inside bid–ask", ">quotes", "status"]
    terminal.show(
        table(
            "Expiries (SABR)",
            columns,
            [
                [
                    fitted.expiry_date,
                    fitted.root,
                    word(instrument_pb2.SettlementStyle, fitted.settlement).upper(),
                    number(365 * fitted.years, 1),
                    number(fitted.forward),
                    number(fitted.forward_stderr, 3),
                    number(fitted.discount, 5),
                    percent(fitted.atm_vol),
                    number(fitted.sabr.alpha, 4),
                    number(fitted.sabr.beta, 2),
                    number(fitted.sabr.rho, 3),
                    number(fitted.sabr.nu, 3),
                    percent(fitted.sabr.rmse, 3),
                    percent(fitted.inside_band, 0),
                    str(len(fitted.strike)),
                    _status(fitted.status, fitted.reasons),
                ]
                for fitted in found.slices
            ],
        )
    )


def _models(terminal: Terminal, found: surface_pb2.VolSurface) -> None:
    from skewline.clients.cli.tables import facts
    from skewline.clients.cli.wording import number, percent

    heston, ou = found.heston, found.ou
    feller = "holds" if heston.feller else "does not hold"
    heston_text = (
        f"v0 {number(heston.v0, 5)}, κ {number(heston.kappa, 3)}, θ {number(heston.theta, 5)}, "
        f"σ {number(heston.sigma, 3)}, ρ {number(heston.rho, 3)}; Feller {feller}; "
        f"rmse {percent(heston.rmse, 3)} over {heston.quotes} quotes; "
        f"{_status(heston.status, heston.reasons)}"
    )
    ou_text = (
        f"κ {number(ou.kappa, 3)} a year, mean {number(ou.mean, 4)}, σ {number(ou.sigma, 3)}, "
        f"half-life {number(ou.half_life, 3)} years; {ou.observations} observations; "
        f"{_status(ou.status, ou.reasons)}"
    )
    models = [
        ("Heston", heston_text if found.HasField("heston") else "not fitted"),
        ("OU of log vol", ou_text if found.HasField("ou") else "not fitted"),
    ]
    terminal.show(facts("Models of the whole", models))
