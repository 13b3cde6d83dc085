"""Which options are listened to: some all the time, the rest in turns, within the lines that there are."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.ibkr.account import LineShare
from skewline.servers.marketdata.live.ibkr.gateway import Gateway
from skewline.servers.marketdata.live.ibkr.kept import KeptQuotes
from skewline.servers.marketdata.live.ibkr.listing import Listed
from skewline.servers.marketdata.live.ibkr.quote import Quote
from skewline.servers.runtime.settings.live import IbkrSettings

_STREAMED_SHARE: Final = 0.5
# A line that is silent may have nothing to say; after a break it is made again, and says what it has.
_SPEAKS_WITHIN_S: Final = 2.0


@dataclass(slots=True)
class Line:
    """An option that is listened to since `since`."""

    option: Listed
    request_id: int
    since: float
    quote: Quote
    streamed: bool
    """Whether it is held; else it is let go when it had its turn."""
    verify_at: float | None = None
    """After a break: when it is made again unless it has spoken."""


class Lines:
    """The lines of one connection.

    When all options do not fit, half of the lines are for the most interesting ones, all the time. Through
    the others the rest of the chain goes in turns: each option is listened to until both sides and the model
    came, or for `answer_within_s`.
    """

    def __init__(self, gateway: Gateway, share: LineShare, settings: IbkrSettings, clock: Clock) -> None:
        self._gateway = gateway
        self._share = share
        self._answer_within_s = settings.answer_within_s
        self._clock = clock
        self._kept = KeptQuotes(settings.oldest_quote_s)
        self._open: dict[int, Line] = {}
        self._order: Sequence[Listed] = ()
        self._turns: deque[Listed] = deque()
        self._refused: set[int] = set()
        # Lines closed by a word that may still wait to go out: another feed must not take them before.
        self._owed = 0

    def want(self, order: Sequence[Listed]) -> None:
        """Listen to these from now on, the most interesting first; what is not among them is forgotten."""
        self._order = order
        wanted = {option.con_id for option in order}
        for line in [each for each in self._open.values() if each.option.con_id not in wanted]:
            self._close(line)
        self._kept.only(wanted)
        place = {option.con_id: n for n, option in enumerate(self._turns)}
        # Who waits keeps its place; who is new comes first, by interest.
        self._turns = deque(sorted(order, key=lambda option: place.get(option.con_id, -1)))

    def relisted(self) -> None:
        """What was refused may be asked for again."""
        self._refused.clear()

    def turn(self) -> None:
        """Open and close lines as is due. Raises SourceFault."""
        while self._owed and not self._gateway.throttled:
            self._owed -= 1
            self._share.give_back()
        now = self._clock.monotonic()
        most = self._share.most
        fit = len(self._order) - len(self._refused) <= most
        streamed = self._most_interesting(most if fit else max(1, int(most * _STREAMED_SHARE)))
        for line in list(self._open.values()):
            line.streamed = line.option.con_id in streamed
            had_its_turn = line.quote.answered or now - line.since >= self._answer_within_s
            if not line.streamed and had_its_turn:
                self._close(line)
            elif line.verify_at is not None and line.quote.heard:
                line.verify_at = None
            elif line.verify_at is not None and now >= line.verify_at:
                self._renew(line)
        for line in [each for each in self._open.values() if not each.streamed][: len(self._open) - most]:
            self._close(line)
        listened = {line.option.con_id for line in self._open.values()}
        for option in streamed.values():
            if option.con_id not in listened and not self._listen(option, streamed=True):
                return
        if not fit:
            self._take_turns(listened | streamed.keys(), most)

    def restart(self) -> None:
        """Every subscription is lost: make them again, and forget what is known. Raises SourceFault."""
        self._kept.forget()
        for line in list(self._open.values()):
            self._renew(line)

    def verify(self) -> None:
        """Subscriptions were kept through a break: what they have is unknown until they speak."""
        self._kept.forget()
        for line in self._open.values():
            line.quote.heard = False
            line.verify_at = self._clock.monotonic() + _SPEAKS_WITHIN_S

    @property
    def count(self) -> int:
        """Lines that are open."""
        return len(self._open)

    def is_line(self, request_id: int) -> bool:
        """Whether a message by number is about one of them."""
        return request_id in self._open

    def refuse(self, request_id: int) -> Listed | None:
        """The gateway closed this line and will not have it; its option, or None if it is none."""
        line = self._open.get(request_id)
        if line is not None:
            self._refused.add(line.option.con_id)
            self._close(line, told=False)
        return line.option if line is not None else None

    def lack(self, request_id: int) -> int | None:
        """The gateway has no line left for this one, which comes again in its turn.

        Returns how many lines all feeds may have now; None if it is no line.
        """
        line = self._open.get(request_id)
        if line is None:
            return None
        most = self._share.refused()
        self._close(line, told=False)
        return most

    @property
    def settled(self) -> bool:
        """Whether each line that is held has both sides, and none waits to be verified."""
        held = [line for line in self._open.values() if line.streamed]
        return bool(held) and all(line.verify_at is None and line.quote.two_sided for line in held)

    def known(self) -> list[tuple[Listed, Quote]]:
        """Every quote that holds, or did at its last turn, not too long ago."""
        known = {}
        for option, quote in self._kept.fresh(self._clock.monotonic()):
            known[option.con_id] = option, quote
        for line in self._open.values():
            quote = line.quote
            # In its turn, the quote before counts until the new one is whole.
            whole = (quote.bid_heard or quote.ask_heard) if line.streamed else quote.two_sided
            if line.verify_at is None and whole:
                known[line.option.con_id] = line.option, quote
        return list(known.values())

    def _most_interesting(self, count: int) -> Mapping[int, Listed]:
        wanted = (option for option in self._order if option.con_id not in self._refused)
        return {option.con_id: option for option, _ in zip(wanted, range(count), strict=False)}

    def _take_turns(self, listened: set[int], most: int) -> None:
        for _ in range(len(self._turns)):
            # What waits to go out would have its turn before it was asked for.
            if len(self._open) >= most or self._gateway.throttled:
                return
            option = self._turns[0]
            passed = option.con_id in listened or option.con_id in self._refused
            if not passed and not self._listen(option, streamed=False):
                return
            self._turns.rotate(-1)

    def _listen(self, option: Listed, *, streamed: bool) -> bool:
        if not self._share.take():
            return False
        self._begin(option, streamed=streamed)
        return True

    def _begin(self, option: Listed, *, streamed: bool) -> None:
        quote = Quote()
        request_id = self._gateway.listen(option.contract, quote, option=True)
        self._open[request_id] = Line(option, request_id, self._clock.monotonic(), quote, streamed)

    def _renew(self, line: Line) -> None:
        """Make a subscription again."""
        self._gateway.let_go(line.request_id)
        del self._open[line.request_id]
        self._begin(line.option, streamed=line.streamed)

    def _close(self, line: Line, *, told: bool = True) -> None:
        self._gateway.let_go(line.request_id, told=told)
        del self._open[line.request_id]
        self._owed += 1
        # Of a line that was closed for it, and of one that was not verified, nothing is known.
        if told and line.verify_at is None and (line.quote.bid_heard or line.quote.ask_heard):
            self._kept.keep(line.option, line.quote, self._clock.monotonic())
