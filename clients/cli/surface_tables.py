"""Tables of a surface, as `skewline surface` shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from skewline.clients.cli.tables import facts, table
from skewline.clients.cli.terminal import Terminal
from skewline.clients.cli.wording import NONE, number, percent, provenance, time_text, word
from skewline.v1 import instrument_pb2, surface_pb2

_FIRST: Final = ["expiry", "root", "settles", ">days", ">forward", ">± s.e.", ">discount"]


def status_text(status: surface_pb2.FitStatus.ValueType, reasons: Sequence[str]) -> str:
    """Such as `poor (RMSE)`."""
    return word(surface_pb2.FitStatus, status) + (f" ({', '.join(reasons)})" if reasons else "")


def show_summary(terminal: Terminal, found: surface_pb2.VolSurface) -> None:
    """What the surface is, of what, and whether it may be traded on."""
    excluded = ", ".join(f"{count.reason} {count.count}" for count in found.excluded)
    failed = "; ".join(
        f"{word(surface_pb2.VolModel, check.model)} {check.name} {number(check.value, 3)}, "
        f"limit {number(check.limit, 3)}"
        for check in found.checks
        if not check.passed
    )
    terminal.show(
        facts(
            f"{found.underlying} volatility surface",
            [
                ("time", time_text(found.time_ns)),
                ("provenance", provenance(found.provenance)),
                ("status", status_text(found.status, found.reasons)),
                ("failed checks", failed or "none"),
                ("spot", f"{number(found.spot)} {found.currency}"),
                ("ATM vol, 30 days", percent(found.atm_vol_30d)),
                ("SABR rmse", f"{percent(found.rmse, 3)} vol over {found.quotes} quotes"),
                ("not used", excluded or "none"),
                ("surface", found.surface_id),
                ("snapshot", found.snapshot_id),
            ],
        )
    )


def _record(terminal: Terminal, found: surface_pb2.VolSurface) -> None:
    columns = [">ATM vol", ">skew", ">curvature", ">rmse", ">inside bid–ask", ">quotes"]
    _show(terminal, found, "Expiries (surface of record)", [*columns, "status", "failed checks"], _record_row)


def _record_row(fitted: surface_pb2.VolSlice) -> list[str]:
    record = fitted.record
    figures = [
        percent(record.atm_vol),
        number(record.atm_skew, 3),
        number(record.atm_curvature, 2),
        percent(record.rmse, 3),
        percent(record.inside_band, 1),
        str(record.quotes),
    ]
    return [
        *(figures if record.quotes else [NONE] * len(figures)),
        status_text(record.status, record.reasons),
        _failed(fitted, surface_pb2.VOL_MODEL_RECORD),
    ]


def _sabr(terminal: Terminal, found: surface_pb2.VolSurface) -> None:
    columns = [">ATM vol", ">α", ">β", ">ρ", ">ν", ">rmse", ">inside bid–ask", ">quotes"]
    _show(terminal, found, "Expiries (SABR)", [*columns, "status", "failed checks"], _sabr_row)


def _sabr_row(fitted: surface_pb2.VolSlice) -> list[str]:
    return [
        percent(fitted.atm_vol),
        number(fitted.sabr.alpha, 4),
        number(fitted.sabr.beta, 2),
        number(fitted.sabr.rho, 3),
        number(fitted.sabr.nu, 3),
        percent(fitted.sabr.rmse, 3),
        percent(fitted.inside_band, 0),
        str(len(fitted.strike)),
        status_text(fitted.status, fitted.reasons),
        _failed(fitted, surface_pb2.VOL_MODEL_SABR),
    ]


def _essvi(terminal: Terminal, found: surface_pb2.VolSurface) -> None:
    columns = [">θ", ">ρ", ">ψ", ">rmse", "status", "failed checks"]
    _show(terminal, found, "Expiries (eSSVI)", columns, _essvi_row)


def _essvi_row(fitted: surface_pb2.VolSlice) -> list[str]:
    fit = fitted.essvi
    return [
        number(fit.theta, 5),
        number(fit.rho, 3),
        number(fit.psi, 4),
        percent(fit.rmse, 3),
        status_text(fit.status, fit.reasons),
        _failed(fitted, surface_pb2.VOL_MODEL_ESSVI),
    ]


def _svi(terminal: Terminal, found: surface_pb2.VolSurface) -> None:
    columns = [">a", ">b", ">ρ", ">m", ">σ", ">rmse", "status", "failed checks"]
    _show(terminal, found, "Expiries (SVI)", columns, _svi_row)


def _svi_row(fitted: surface_pb2.VolSlice) -> list[str]:
    fit = fitted.svi
    return [
        number(fit.a, 5),
        number(fit.b, 4),
        number(fit.rho, 3),
        number(fit.m, 4),
        number(fit.sigma, 4),
        percent(fit.rmse, 3),
        status_text(fit.status, fit.reasons),
        _failed(fitted, surface_pb2.VOL_MODEL_SVI),
    ]


TABLES: Final[Mapping[str, Callable[[Terminal, surface_pb2.VolSurface], None]]] = {
    "record": _record,
    "sabr": _sabr,
    "essvi": _essvi,
    "svi": _svi,
}
"""By the model whose expiries are shown."""


def _show(
    terminal: Terminal,
    found: surface_pb2.VolSurface,
    title: str,
    columns: Sequence[str],
    row: Callable[[surface_pb2.VolSlice], list[str]],
) -> None:
    rows = [
        [
            fitted.expiry_date,
            fitted.root,
            word(instrument_pb2.SettlementStyle, fitted.settlement).upper(),
            number(365 * fitted.years, 1),
            number(fitted.forward),
            number(fitted.forward_stderr, 3),
            number(fitted.discount, 5),
            *row(fitted),
        ]
        for fitted in found.slices
    ]
    terminal.show(table(title, [*_FIRST, *columns], rows))


def _failed(fitted: surface_pb2.VolSlice, model: surface_pb2.VolModel.ValueType) -> str:
    names = [check.name for check in fitted.checks if check.model == model and not check.passed]
    return ", ".join(names) or NONE
