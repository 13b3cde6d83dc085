from dataclasses import replace
from decimal import Decimal

from run_records import run_record, surface

from skewline.clients.demo.summary import summarise
from skewline.v1 import common_pb2, surface_pb2


def test_counts_what_the_run_holds() -> None:
    summary = summarise(run_record())
    assert (summary.chains_seen, summary.chains_accepted, summary.chains_rejected) == (5, 4, 1)
    assert summary.reasons == (("CROSSED", 50), ("NO_BID", 20))
    assert [(c.underlying, c.reason) for c in summary.rejected_chains] == [("SPX", "MARKET_HOLIDAY")]
    assert [(f.underlying, f.surfaces, f.good) for f in summary.fits] == [("SPX", 2, 2), ("VIX", 2, 2)]
    assert summary.orders_by_status == (("filled", 2),)
    assert summary.denials == (("MAX_VEGA", 1),)
    assert (summary.fills, summary.contracts, summary.open_positions) == (2, Decimal(4), 1)
    assert [(p.currency, p.net) for p in summary.pnl] == [("USD", Decimal(38))]


def test_says_when_data_was_simulated() -> None:
    summary = summarise(run_record())
    assert summary.simulated
    assert [f.provenance for f in summary.fits] == ["recorded", "SIMULATED"]
    assert summary.provenance == (("recorded", 3), ("SIMULATED", 2))


def test_fit_error_leaves_failed_surfaces_out() -> None:
    failed = surface("SPX", 2, common_pb2.PROVENANCE_RECORDED)
    failed.status, failed.rmse = surface_pb2.FIT_STATUS_FAILED, float("nan")
    record = run_record()
    spx = summarise(replace(record, surfaces=(*record.surfaces, failed))).fits[0]
    assert (spx.surfaces, spx.failed) == (3, 1)
    assert (spx.rmse_median, spx.rmse_max) == (0.0015, 0.002)
