"""Tables of one surface: its models side by side, and the checks of each expiry."""

from __future__ import annotations

from typing import Final

from skewline.clients.demo import wording
from skewline.clients.report.curves import PENS
from skewline.clients.report.tables import Table
from skewline.v1 import surface_pb2

_PERCENT: Final = 100.0


def models_table(surface: surface_pb2.VolSurface) -> Table:
    """How near each model comes to the quotes."""
    return Table(
        ("model", "expiries", "quotes", "error", "inside bid–ask"),
        [
            (
                PENS[each.model].name,
                str(each.slices),
                f"{each.quotes:,}",
                wording.vol(each.rmse),
                f"{_PERCENT * each.inside_band:.1f} %",
            )
            for each in surface.models
            if each.quotes
        ],
        frozenset(range(1, 5)),
        "Error: root mean square of model less mid, in vol points, each quote alike.",
    )


def checks_table(surface: surface_pb2.VolSurface) -> Table:
    """Each expiry's smile of record, and what its checks and those of the models found wrong."""
    rows = []
    for expiry in surface.slices:
        record = expiry.record
        wrong = [f"{PENS[each.model].name} {each.name.lower()}" for each in expiry.checks if not each.passed]
        rows.append(
            (
                f"{expiry.root} {expiry.expiry_date}",
                f"{365 * expiry.years:.1f}",
                f"{record.quotes:,}",
                wording.vol(record.atm_vol) if record.quotes else "–",
                f"{record.atm_skew:.3f}" if record.quotes else "–",
                f"{_PERCENT * record.inside_band:.1f} %" if record.quotes else "–",
                wording.fit_status(record.status),
                ", ".join((*record.reasons, *wrong)) or "none",
            )
        )
    return Table(
        (
            "expiry",
            "days",
            "quotes",
            "vol at the money",
            "skew",
            "inside bid–ask",
            "record",
            "failed checks, of the record and of the models",
        ),
        rows,
        frozenset(range(1, 6)),
        "Skew: slope of the record's vol by log-moneyness at the money.",
    )
