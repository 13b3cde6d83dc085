"""The answer to ListBars: pieces of the first origin that has any, put together where they are shorter."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from skewline.servers.marketdata.bars.origins import MOST_PIECES, Chosen, Span, chosen, newest_ns, origin_of
from skewline.servers.marketdata.bars.piece import bar_of, by_bar, in_units_after
from skewline.servers.marketdata.bars.splits import splits
from skewline.servers.runtime.paging import Page, page_of, token_after
from skewline.v1 import market_data_service_pb2 as pb


@dataclass(frozen=True, slots=True)
class BarList:
    """A list and the page of it that is asked for."""

    request: pb.ListBarsRequest
    page: Page
    query: str

    @classmethod
    def of(cls, request: pb.ListBarsRequest) -> BarList:
        """Raises InvalidArgument for a page that is none."""
        query = repr((request.underlying, request.interval_ns, request.from_ns, request.to_ns))
        page = page_of(request.page_size, request.page_token, query)
        return cls(request, page, query)

    def answer(self, connection: Connection) -> pb.ListBarsResponse:
        """The bars, oldest first."""
        request, interval_ns = self.request, self.request.interval_ns
        taken = self._taken(connection)
        if taken is None:
            return pb.ListBarsResponse()
        span, size = taken.span, self.page.size
        # One bar more says whether there is another page, and may be cut off itself.
        a_bar = interval_ns // span.piece_ns if span.piece_ns else MOST_PIECES
        most = min(MOST_PIECES, (size + 2) * a_bar)
        found = taken.origin.oldest(connection, span, most)
        newest = newest_ns(connection, request.underlying, request.to_ns)
        pieces = in_units_after(found, splits(connection, request.underlying, newest))
        groups = list(by_bar(pieces, interval_ns))
        made = [bar_of(group, interval_ns, taken.origin.kind) for group in groups[:size]]
        following = 0
        if len(groups) > size:
            following = groups[size][0].start_ns
        elif len(found) == most:
            following = made[-1].start_ns + interval_ns  # a bar of more pieces than can be read
            if len(made) > 1:
                made.pop()  # it may be incomplete: the next page begins with it
                following = groups[-1][0].start_ns
        token = token_after((following, taken.origin.kind, span.piece_ns), self.query) if following else ""
        return pb.ListBarsResponse(bars=made, next_page_token=token)

    def _taken(self, connection: Connection) -> Chosen | None:
        request = self.request
        if self.page.after is None:
            return chosen(
                connection,
                request.interval_ns,
                lambda piece_ns: Span(request.underlying, piece_ns, request.from_ns, request.to_ns),
            )
        # As on the pages before, whatever was recorded meanwhile.
        from_ns, kind, piece_ns = (int(part) for part in self.page.after)
        origin = origin_of(kind)
        assert origin is not None
        return Chosen(origin, Span(request.underlying, piece_ns, from_ns, request.to_ns))
