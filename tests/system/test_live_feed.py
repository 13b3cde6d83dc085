"""A live feed through the whole stack: what a venue shows becomes a surface, and its trouble is said."""

from pathlib import Path

import pytest
from cboe_files import delayed_file
from deribit_venue import deribit_venue, vol
from http_venue import http_venue, status
from running_stack import RunningStack, running_stack
from waiting import until_so

from skewline.clients.errors import SkewlineError
from skewline.clients.questions import Update
from skewline.servers.marketdata.sources.cboe import CboeSource
from skewline.servers.marketdata.sources.source import Selection
from skewline.v1 import chain_pb2, common_pb2, feed_pb2, instrument_pb2, surface_pb2

pytestmark = pytest.mark.timeout(120)


def spx(market_data: Path) -> chain_pb2.OptionChain:
    source = CboeSource(market_data / "spx-2019", Selection(("SPX",)))
    return source.load(source.plan()[0])


async def test_delayed_quotes_become_a_surface(market_data: Path, tmp_path: Path) -> None:
    chain = spx(market_data)
    async with http_venue() as venue:
        venue.faults.append(status(500))
        venue.files["_SPX.json"] = delayed_file(chain, symbol="_SPX")
        settings = [
            'marketdata.feeds=["cboe:SPX"]',
            f"marketdata.live.cboe.url={venue.url}",
            "marketdata.live.retry_first_s=0.2",
        ]
        async with running_stack(tmp_path, settings) as stack:
            surface = await fitted(stack, "SPX")
            assert surface.status == surface_pb2.FIT_STATUS_GOOD
            assert surface.provenance == common_pb2.PROVENANCE_DELAYED
            assert surface.time_ns == chain.time_ns
            assert len(surface.slices) > 30
            [feed] = [feed async for feed in stack.client.market_data.list_feeds()]
            assert (feed.accepted, feed.rejected, feed.connections) == (1, 0, 2)
            async for notice in stack.client.market_data.stream_feeds(["SPX"]):
                assert isinstance(notice, Update)
                assert notice.content.feed.state in (feed_pb2.FEED_STATE_LIVE, feed_pb2.FEED_STATE_CLOSED)
                break


async def test_coin_settled_options_become_a_surface_with_the_venues_own_vols(tmp_path: Path) -> None:
    async with deribit_venue() as venue:
        settings = [
            'marketdata.feeds=["deribit:BTC"]',
            f"marketdata.live.deribit.url={venue.url}/api/v2",
            f"marketdata.live.deribit.ws_url={venue.ws_url}",
            "marketdata.live.deribit.interval_s=0.5",
        ]
        async with running_stack(tmp_path, settings) as stack:
            surface = await fitted(stack, "BTC")
            assert (surface.status, surface.currency) == (surface_pb2.FIT_STATUS_GOOD, "USD")
            assert surface.provenance == common_pb2.PROVENANCE_LIVE
            assert [(each.forward, each.discount) for each in surface.slices] == [
                (118_000.0, 1.0),
                (118_600.0, 1.0),
            ]
            for each in surface.slices:
                for strike, bid, ask in zip(each.strike, each.bid_iv, each.ask_iv, strict=True):
                    if abs(strike / each.forward - 1.0) < 0.1:
                        assert bid <= vol(each.forward, strike) <= ask
            instrument = await stack.client.market_data.get_instrument("BTC-30AUG24-120000-C")
            assert instrument.kind == instrument_pb2.INSTRUMENT_KIND_OPTION
            assert (instrument.currency, instrument.multiplier.units) == ("USD", 1)


async def fitted(stack: RunningStack, underlying: str) -> surface_pb2.VolSurface:
    """The first surface of `underlying`, as soon as it is there."""

    async def there() -> bool:
        try:
            await stack.client.calibration.get_surface(underlying)
        except SkewlineError:
            return False
        return True

    await until_so(there, deadline_s=60.0)
    return await stack.client.calibration.get_surface(underlying)
