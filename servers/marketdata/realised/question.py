"""A client's question for realised volatility: checked, and answered from the spots that were read for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from skewline.servers.marketdata.realised.answer import MOST_BARS, History, volatilities
from skewline.servers.runtime.day_count import DAY_NS
from skewline.servers.runtime.provenance import least_real
from skewline.servers.runtime.validation import Validation
from skewline.v1 import common_pb2
from skewline.v1 import market_data_service_pb2 as pb

_WINDOWS: Final = (5, 10, 21, 63, 252)
_MOST_WINDOWS: Final = 16
_DAYS_A_YEAR: Final = 252.0


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


def realised_volatility(
    request: pb.GetRealisedVolatilityRequest, spots: Sequence[tuple[int, float, int]], cut: bool
) -> pb.GetRealisedVolatilityResponse:
    """The answer from `spots` (time_ns, price, provenance; oldest first, one at the least).

    `cut` says that there may be older ones, which were not read.
    """
    interval_ns = request.interval_ns or DAY_NS
    if cut:
        # the oldest bar has lost its beginning, unless it is the only one
        whole = [spot for spot in spots if spot[0] // interval_ns > spots[0][0] // interval_ns]
        spots = whole or spots
    history = History.of([(time_ns, price) for time_ns, price, _ in spots], interval_ns)
    used = spots[-int(history.prices.sum()) :]
    return pb.GetRealisedVolatilityResponse(
        vols=volatilities(
            history, request.windows or _WINDOWS, request.estimators, request.bars_a_year or _DAYS_A_YEAR
        ),
        bars=history.close.size,
        from_ns=used[0][0],
        to_ns=used[-1][0],
        provenance=least_real(common_pb2.Provenance.ValueType(each) for _, _, each in used),
    )
