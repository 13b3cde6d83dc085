"""A client's question for realised volatility: checked, and answered from what was read for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from skewline.servers.marketdata.bars.origins import MOST_PIECES, Span, chosen, newest_ns
from skewline.servers.marketdata.bars.piece import BarOrigin, Piece, by_bar, in_units_after
from skewline.servers.marketdata.bars.splits import splits
from skewline.servers.marketdata.realised.answer import MOST_BARS, History, volatilities
from skewline.servers.runtime.day_count import DAY_NS
from skewline.servers.runtime.errors import NotFound
from skewline.servers.runtime.provenance import least_real
from skewline.servers.runtime.validation import Validation
from skewline.v1 import market_data_service_pb2 as pb

_WINDOWS: Final = (5, 10, 21, 63, 252)
_MOST_WINDOWS: Final = 16
_DAYS_A_YEAR: Final = 252.0


@dataclass(frozen=True, slots=True)
class Prices:
    """Pieces of one origin, oldest first, one at the least; `cut` says that there may be older ones."""

    pieces: Sequence[Piece]
    origin: BarOrigin
    cut: bool


def check_question(request: pb.GetRealisedVolatilityRequest) -> None:
    """Raises InvalidArgument, which names each field that is wrong."""
    validation = Validation()
    validation.required("underlying", request.underlying)
    validation.non_negative("interval_ns", request.interval_ns)
    if request.as_of_ns:
        validation.time_ns("as_of_ns", request.as_of_ns)
    validation.non_negative("bars_a_year", request.bars_a_year)
    stated = request.interval_ns in (0, DAY_NS) or request.bars_a_year
    validation.check(
        bool(stated),
        "bars_a_year",
        "is required for bars that are no days; 98280 for minutes of a US session",
    )
    validation.max_length("windows", request.windows, _MOST_WINDOWS)
    for index, window in enumerate(request.windows):
        validation.between(f"windows[{index}]", window, 3, MOST_BARS)
    for index, estimator in enumerate(request.estimators):
        validation.enum(f"estimators[{index}]", estimator, pb.VolatilityEstimator)
    validation.raise_if_any()


def read_prices(connection: Connection, request: pb.GetRealisedVolatilityRequest) -> Prices:
    """What the answer is made from. Raises NotFound if no price of the underlying is known by then."""

    def span(piece_ns: int) -> Span:
        # A bar is known when it has ended.
        until = max(request.as_of_ns + 1 - piece_ns, 1) if request.as_of_ns else 0
        return Span(request.underlying, piece_ns, 0, until)

    taken = chosen(connection, request.interval_ns or DAY_NS, span)
    if taken is None:
        raise NotFound("price of", request.underlying)
    found = taken.origin.newest(connection, taken.span, MOST_PIECES)
    # In the units of the newest price of all, as the bars that are listed.
    newest = newest_ns(connection, request.underlying, request.as_of_ns and request.as_of_ns + 1)
    pieces = in_units_after(found, splits(connection, request.underlying, newest))
    return Prices(pieces, taken.origin.kind, cut=len(found) == MOST_PIECES)


def realised_volatility(
    request: pb.GetRealisedVolatilityRequest, prices: Prices
) -> pb.GetRealisedVolatilityResponse:
    """The answer from what was read."""
    groups = list(by_bar(prices.pieces, request.interval_ns or DAY_NS))
    if prices.cut and len(groups) > 1:
        groups = groups[1:]  # the oldest bar has lost its beginning
    used = groups[-MOST_BARS:]
    history = History.of(groups)
    return pb.GetRealisedVolatilityResponse(
        vols=volatilities(
            history, request.windows or _WINDOWS, request.estimators, request.bars_a_year or _DAYS_A_YEAR
        ),
        bars=history.close.size,
        from_ns=used[0][0].start_ns,
        to_ns=used[-1][-1].end_ns,
        provenance=least_real(piece.provenance for group in used for piece in group),
        origin=prices.origin,
    )
