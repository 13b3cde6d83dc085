"""Puts the report together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import plotly.graph_objects as go

from skewline.clients.demo import wording
from skewline.clients.demo.record import RunRecord
from skewline.clients.demo.summary import RunSummary, summarise
from skewline.clients.report import exposure, flow, histories, levels, smiles, tables, trading
from skewline.clients.report.rendering import render, written
from skewline.v1 import surface_pb2

MOST_UNDERLYINGS: Final = 8


@dataclass(frozen=True, slots=True)
class SmilePlot:
    """Smiles of one surface."""

    title: str
    provenance: str
    figure: go.Figure | None
    note: str


@dataclass(frozen=True, slots=True)
class UnderlyingPlots:
    """All plots of one underlying's surfaces."""

    underlying: str
    term: go.Figure | None
    history: go.Figure | None
    parameters: go.Figure | None
    smiles: tuple[SmilePlot, ...]


def write_report(record: RunRecord, path: Path) -> Path:
    """Write the report of `record` to `path` (its folder is made); returns the absolute path."""
    return written(report_html(record), path)


def report_html(record: RunRecord) -> str:
    """The report as one HTML document that loads nothing from anywhere."""
    summary = summarise(record)
    return render(
        "page.html",
        summary=summary,
        underlyings=_underlyings(record, summary),
        left_out=max(0, len(summary.fits) - MOST_UNDERLYINGS),
        fits=tables.fits(summary),
        rejections=flow.rejections(record.replay.reasons),
        rejected_chains=tables.rejected_chains(summary),
        scatter=trading.edge_and_confidence(record.signals),
        signals=tables.signals(record.signals),
        orders=tables.orders(record.orders),
        fills=tables.fills(record.fills),
        positions=tables.positions(record.positions),
        pnl=trading.profit_and_loss(record.pnl),
        greeks=exposure.greeks(record.portfolios),
        losses=exposure.loss_measures(record.portfolios),
        latency=flow.hop_latency(record.replay.latencies),
        waterfall=flow.waterfall(record.trace),
        spans=len(record.trace),
        most_spans=flow.MOST_SPANS,
        traced_fill=record.traced_fill,
        fit_error=_overall_error(summary),
    )


def _overall_error(summary: RunSummary) -> str:
    errors = [f.rmse_median for f in summary.fits if f.rmse_median == f.rmse_median]
    if not errors:
        return "–"
    low, high = wording.vol(min(errors)), wording.vol(max(errors))
    return low if low == high else f"{low} – {high}"


def _underlyings(record: RunRecord, summary: RunSummary) -> tuple[UnderlyingPlots, ...]:
    plotted = {surface.underlying for surface in record.whole_surfaces}
    # The best fitted come first: the page opens on one that was traded on.
    ranked = sorted(summary.fits, key=lambda fit: (-fit.good, -fit.quotes, fit.underlying))
    names = [fit.underlying for fit in ranked if fit.underlying in plotted]
    return tuple(_underlying(name, record) for name in names[:MOST_UNDERLYINGS])


def _underlying(name: str, record: RunRecord) -> UnderlyingPlots:
    whole = [surface for surface in record.whole_surfaces if surface.underlying == name]
    fitted = [surface for surface in record.surfaces if surface.underlying == name]
    return UnderlyingPlots(
        name,
        levels.term_structure(whole),
        levels.level_history(fitted),
        histories.history_grid(histories.of_surfaces(fitted)),
        tuple(_smiles(surface, which) for surface, which in zip(whole, _which(whole), strict=True)),
    )


def _which(surfaces: Sequence[surface_pb2.VolSurface]) -> list[str]:
    return ["only surface"] if len(surfaces) == 1 else ["first surface", "last surface"][: len(surfaces)]


def _smiles(surface: surface_pb2.VolSurface, which: str) -> SmilePlot:
    shown, quoted = len(smiles.shown_slices(surface)), sum(1 for s in surface.slices if s.strike)
    parts = [f"SABR fit error {wording.vol(surface.rmse)}", f"fit {wording.fit_status(surface.status)}"]
    if surface.reasons:
        parts.append(", ".join(surface.reasons))
    if surface.heston.quotes:
        parts.append(_heston(surface.heston))
    if shown < quoted:
        parts.append(f"{shown} of {quoted} expiries shown, from the nearest to the farthest")
    return SmilePlot(
        f"{which}, {wording.clock(surface.time_ns)} UTC",
        wording.provenance(surface.provenance),
        smiles.smile_grid(smiles.shown_slices(surface)),
        "; ".join(parts) + ".",
    )


def _heston(fit: surface_pb2.HestonFit) -> str:
    named = (("v0", fit.v0), ("κ", fit.kappa), ("θ", fit.theta), ("σ", fit.sigma), ("ρ", fit.rho))
    parameters = ", ".join(f"{name} {wording.number(value)}" for name, value in named)
    return f"Heston {parameters}, error {wording.vol(fit.rmse)} ({wording.fit_status(fit.status)})"
