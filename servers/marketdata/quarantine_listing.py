"""The answers about the quarantine."""

from __future__ import annotations

from sqlalchemy import Connection

from skewline.servers.marketdata.quarantine import SNAPSHOT
from skewline.servers.runtime.errors import NotFound
from skewline.servers.runtime.messages import copy_into
from skewline.servers.runtime.paging import cut, page_of
from skewline.servers.runtime.processor import Processor
from skewline.servers.runtime.validation import Validation
from skewline.storage.marketdata import chains, quarantine
from skewline.storage.marketdata.quarantine import Held, QuarantineQuery
from skewline.v1 import chain_pb2, quarantine_pb2
from skewline.v1 import market_data_service_pb2 as pb

Request = pb.ListQuarantineRequest | pb.ListQuarantineCountsRequest


async def listed(processor: Processor, request: pb.ListQuarantineRequest) -> pb.ListQuarantineResponse:
    """Entries, newest first. Raises InvalidArgument."""
    query = _query(request)
    page = page_of(request.page_size, request.page_token, repr(query))
    after = (int(page.after[0]), str(page.after[1])) if page.after else None
    found = await processor.read(
        lambda connection: quarantine.entries(connection, query, after, page.size + 1)
    )
    shown, token = cut(found, page, repr(query), lambda one: (one.time_ns, one.entry_id))
    return pb.ListQuarantineResponse(entries=shown, next_page_token=token)


async def counted(
    processor: Processor, request: pb.ListQuarantineCountsRequest
) -> pb.ListQuarantineCountsResponse:
    """Counts by interval, underlying, reason and kind. Raises InvalidArgument."""
    query, interval_ns = _query(request), request.interval_ns
    validation = Validation()
    validation.non_negative("interval_ns", interval_ns)
    validation.raise_if_any()
    listing = repr((query, interval_ns))
    page = page_of(request.page_size, request.page_token, listing)
    after = None
    if page.after:
        start_ns, underlying, reason, kind = page.after
        after = (int(start_ns), str(underlying), str(reason), int(kind))
    found = await processor.read(
        lambda connection: quarantine.counts(connection, query, interval_ns, after, page.size + 1)
    )
    shown, token = cut(
        found, page, listing, lambda one: (one.start_ns, one.underlying, one.reason, int(one.kind))
    )
    return pb.ListQuarantineCountsResponse(counts=shown, next_page_token=token)


async def entry(processor: Processor, entry_id: str) -> pb.GetQuarantineEntryResponse:
    """One entry with its content. Raises InvalidArgument, NotFound."""
    validation = Validation()
    validation.required("entry_id", entry_id)
    validation.raise_if_any()

    def read(connection: Connection) -> tuple[Held, chain_pb2.OptionChain | None] | None:
        held = quarantine.entry(connection, entry_id)
        if held is None:
            return None
        if held.entry.kind == SNAPSHOT:
            whole = chains.chain(connection, held.entry.snapshot_id)
            return held, whole[0] if whole is not None else None
        if held.entry.kind == quarantine_pb2.QUARANTINE_KIND_CONTRACTS and held.content is not None:
            return held, chain_pb2.OptionChain.FromString(held.content)
        return held, None

    found = await processor.read(read)
    if found is None:
        raise NotFound("quarantine entry", entry_id)
    held, chain = found
    response = pb.GetQuarantineEntryResponse(entry=held.entry)
    if chain is not None:
        copy_into(response.chain, chain)
    elif held.content is not None:
        response.message = held.content
    return response


def _query(request: Request) -> QuarantineQuery:
    validation = Validation()
    if request.kind:
        validation.enum("kind", request.kind, quarantine_pb2.QuarantineKind)
    validation.non_negative("from_ns", request.from_ns)
    validation.non_negative("to_ns", request.to_ns)
    fix = "must be after from_ns, or 0 for the end"
    validation.check(not request.to_ns or request.from_ns < request.to_ns, "to_ns", fix)
    validation.raise_if_any()
    return QuarantineQuery(request.underlying, request.reason, request.kind, request.from_ns, request.to_ns)
