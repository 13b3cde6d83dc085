"""The trades of one connection: those that are missing by their ids are asked for, or told as missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from skewline.servers.marketdata.live.asking import Asking
from skewline.servers.marketdata.live.binance_market import Questions
from skewline.servers.marketdata.live.binance_payload import Malformed, Trade
from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.source import Heard, Missed, SourceFault, TradesSeen
from skewline.servers.marketdata.live.trade_sync import TradeSync
from skewline.servers.runtime.backoff import Backoff
from skewline.servers.runtime.settings.live import BinanceSettings
from skewline.v1 import common_pb2, order_book_pb2

_FAST_NS: Final = 300_000_000_000
_MOST_PAUSE_S: Final = 10.0
_ATTEMPTS: Final = 4
_A_BATCH: Final = 5_000


class TradeKeeping:
    """Gives trades in order, and holds those behind a gap until it is filled or given up."""

    def __init__(
        self,
        instrument_id: str,
        settings: BinanceSettings,
        questions: Questions,
        clock: Clock,
        sync: TradeSync,
    ) -> None:
        self._instrument_id = instrument_id
        self._most_missed = settings.most_missed_trades
        self._questions = questions
        self._clock = clock
        self._sync = sync
        self._asking: Asking[list[Trade]] = Asking(clock)
        self._backoff = Backoff(first=settings.interval_s, most=_MOST_PAUSE_S)
        self._attempts = 0
        self._why = ""

    def take(self, trade: Trade) -> None:
        """A trade of the stream. Raises Malformed."""
        if trade.time_ns > self._clock.time_ns() + _FAST_NS:
            raise Malformed("its time is in the future")
        self._sync.take([trade])

    def heard(self) -> list[Heard]:
        """What became of them since it was last asked for."""
        heard: list[Heard] = []
        if self._asking.answered:
            self._fill()
        missing = self._sync.missing
        if missing is None:
            self._attempts = 0
            self._backoff.reset()
        elif missing[1] - missing[0] >= self._most_missed:
            heard.append(self._give_up(missing, f"they are more than {self._most_missed}"))
        elif self._attempts >= _ATTEMPTS:
            heard.append(self._give_up(missing, self._why))
        elif self._asking.idle:
            self._asking.ask(self._questions.trades(*missing))
        return [*heard, *map(self._seen, _parts(self._sync.ready()))]

    async def end(self) -> None:
        """Let go of what is asked for."""
        await self._asking.end()

    def _fill(self) -> None:
        self._attempts += 1
        try:
            self._sync.take(self._asking.answer())
        except SourceFault as fault:
            self._why = str(fault)
            self._asking.pause(max(self._backoff.next(), fault.retry_after_s))
        else:
            self._why = "the venue does not have them"
            self._asking.pause(self._backoff.next())

    def _give_up(self, missing: tuple[int, int], why: str) -> Missed:
        self._sync.give_up()
        self._attempts = 0
        first, last = missing
        return Missed("TRADES", f"trades {first} to {last} are missing, {last - first + 1} of them: {why}")

    def _seen(self, trades: Sequence[Trade]) -> TradesSeen:
        return TradesSeen(
            order_book_pb2.TradeBatch(
                instrument_id=self._instrument_id,
                provenance=common_pb2.PROVENANCE_LIVE,
                time_ns=[each.time_ns for each in trades],
                price=[each.price for each in trades],
                quantity=[each.quantity for each in trades],
                is_buy=[each.is_buy for each in trades],
                trade_id=[each.trade_id for each in trades],
            )
        )


def _parts(trades: Sequence[Trade]) -> Iterator[Sequence[Trade]]:
    for start in range(0, len(trades), _A_BATCH):
        yield trades[start : start + _A_BATCH]
