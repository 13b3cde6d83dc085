"""The service's replays: started once by request_id, one at a time, taken up again after a restart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date
from typing import Final

from sqlalchemy import Connection

from skewline.servers.marketdata import replay_progress
from skewline.servers.marketdata.intake import SERVICE, Intake
from skewline.servers.marketdata.replay import Replay, Stored, is_watermark
from skewline.servers.marketdata.sources.opening import SourceOptions, open_source
from skewline.servers.marketdata.sources.source import Selection, SnapshotRef, Source, SourceError
from skewline.servers.runtime.errors import AlreadyExists, FieldViolation, InvalidArgument, NotFound, Refused
from skewline.servers.runtime.identity import derive_id
from skewline.servers.runtime.processor import Delivered
from skewline.servers.runtime.service import Runtime
from skewline.servers.runtime.validation import Validation
from skewline.storage.marketdata import replays
from skewline.storage.marketdata.replays import ReplayRow
from skewline.v1 import market_data_service_pb2 as pb

_STREAM: Final = "RISK"
_SUBJECT: Final = "risk.portfolio.>"
_LONGEST: Final = 128

Open = Callable[[str, SourceOptions], Source]


class Replays:
    """Starts, stops, finds and restores replays.

    `feeds_running` names the live feeds that run: no replay runs beside one, because both would feed the same
    pipeline, whose time is that of the data. `starting` is held while one is started.
    """

    def __init__(
        self,
        runtime: Runtime,
        intake: Intake,
        stored: Stored,
        *,
        feeds_running: Callable[[], Sequence[str]],
        starting: asyncio.Lock,
        opener: Open = open_source,
    ) -> None:
        self._runtime = runtime
        self._processor = runtime.processor
        self._intake = intake
        self._stored = stored
        self._open = opener
        self._known: dict[str, Replay] = {}
        self._feeds_running = feeds_running
        self._starting = starting

    @property
    def running(self) -> str:
        """Id of the one that runs; empty if none does."""
        states = (replay.state for replay in self._known.values())
        return next((state.replay_id for state in states if state.status == replay_progress.RUNNING), "")

    async def start(self) -> None:
        """Take up what an earlier process left running, and listen for watermarks."""
        for row in await self._processor.read(replays.unfinished):
            await self._resume(row)
        await self._processor.consume(_STREAM, f"{SERVICE}-watermark", (_SUBJECT,), self._on_portfolio)
        for replay in self._known.values():
            replay.start()

    def restore(self, connection: Connection) -> None:
        """Put each back to where the tables say it is."""
        for row in replays.unfinished(connection):
            replay = self._known.get(row.replay_id)
            if replay is not None:
                replay.restore(row, replays.samples(connection, row.replay_id))

    async def stop(self) -> None:
        """Let go of those that run; they go on at the next start."""
        for replay in self._known.values():
            await replay.suspend()

    async def begin(self, request: pb.StartReplayRequest) -> pb.Replay:
        """Start a replay, or find the one that this request started before.

        Raises InvalidArgument, AlreadyExists for a request_id of another request, Refused while another
        replay or a live feed runs.
        """
        replay_id = _validated(request)
        async with self._starting:
            earlier = await self._processor.read(lambda connection: replays.replay(connection, replay_id))
            if earlier is not None:
                if earlier.request != request:
                    raise AlreadyExists("replay with request_id", request.request_id)
                return self._state(earlier)
            self._refuse_beside()
            # Those that ended are in the tables; here they would keep their plans and what they read.
            self._known = {}
            source, plan = await self._planned(request)
            if not plan:
                fix = "has no snapshot of these symbols and dates; see what it holds, and ask for less"
                raise InvalidArgument([FieldViolation("source", fix)])
            row = ReplayRow(
                request=request,
                state=pb.Replay(
                    replay_id=replay_id,
                    source=request.source,
                    status=replay_progress.RUNNING,
                    total=len(plan),
                ),
                started_ns=time.time_ns(),
            )
            await self._processor.write(lambda connection: replays.add(connection, row))
            replay = self._made(row, source, plan, {})
            replay.start()
            return replay.state

    async def end(self, replay_id: str) -> pb.Replay:
        """Stop a replay after the snapshot in hand. Raises NotFound."""
        replay = self._known.get(replay_id)
        if replay is None:
            return await self.get(replay_id)
        await replay.stop()
        return replay.state

    async def get(self, replay_id: str) -> pb.Replay:
        """Its state now. Raises NotFound."""
        row = await self._processor.read(lambda connection: replays.replay(connection, replay_id))
        if row is None:
            raise NotFound("replay", replay_id)
        return self._state(row)

    async def watch(self, replay_id: str) -> AsyncIterator[pb.Replay]:
        """Its state at each step until it ends. Raises NotFound."""
        replay = self._known.get(replay_id)
        if replay is None:
            yield await self.get(replay_id)
            return
        async for state in replay.states():
            yield state

    async def _on_portfolio(self, delivered: Delivered) -> None:
        for replay in self._known.values():
            if is_watermark(delivered.event) and replay.awaits(delivered.event.snapshot_id):
                await replay.on_watermark(delivered)
                return
        await self._processor.transact(lambda _connection: (None, ()), cause=delivered.event)

    def _state(self, row: ReplayRow) -> pb.Replay:
        replay = self._known.get(row.replay_id)
        return row.state if replay is None else replay.state

    def _refuse_beside(self) -> None:
        if replay_id := self.running:
            source = self._known[replay_id].state.source
            raise Refused(
                "REPLAY_RUNNING",
                f"replay {replay_id} of {source} is running: stop it, or wait until it ends",
                {"replay_id": replay_id},
            )
        if feeds := self._feeds_running():
            raise Refused(
                "FEED_RUNNING",
                f"{', '.join(feeds)} runs, and no replay runs beside a live feed: stop it first, or replay in"
                " another home",
                {"feed": feeds[0]},
            )

    async def _planned(self, request: pb.StartReplayRequest) -> tuple[Source, list[SnapshotRef]]:
        settings = self._runtime.settings
        options = SourceOptions(
            selection=Selection(tuple(request.symbols), _day(request.from_date), _day(request.to_date)),
            sample_folder=settings.home / "data" / "sample",
            cboe_time=settings.marketdata.cboe_snapshot_time,
            seed=request.seed,
            steps=request.simulated_steps,
        )

        def plan() -> tuple[Source, list[SnapshotRef]]:
            source = self._open(request.source, options)
            refs = source.plan()
            return source, refs[: request.limit] if request.limit else refs

        try:
            return await asyncio.to_thread(plan)
        except SourceError as error:
            raise InvalidArgument([FieldViolation("source", str(error))]) from error

    async def _resume(self, row: ReplayRow) -> None:
        samples = await self._processor.read(lambda connection: replays.samples(connection, row.replay_id))
        try:
            source, plan = await self._planned(row.request)
            if len(plan) != row.state.total:
                raise InvalidArgument(
                    [
                        FieldViolation(
                            "source", f"has {len(plan)} snapshots now and had {row.state.total}; restart it"
                        )
                    ]
                )
        except InvalidArgument as error:
            failed = replay_progress.ended(row, pb.REPLAY_STATUS_FAILED, str(error), time.time_ns())
            await self._processor.write(lambda connection: replays.save(connection, failed))
            return
        self._made(row, source, plan, samples)

    def _made(
        self, row: ReplayRow, source: Source, plan: list[SnapshotRef], samples: dict[str, list[int]]
    ) -> Replay:
        replay = Replay(
            row=row,
            source=source,
            plan=plan,
            samples=samples,
            intake=self._intake,
            processor=self._processor,
            tracer=self._runtime.telemetry.tracer,
            watermark_timeout_s=self._runtime.settings.marketdata.watermark_timeout_s,
            stored=self._stored,
        )
        self._known[row.replay_id] = replay
        return replay


def _validated(request: pb.StartReplayRequest) -> str:
    validation = Validation()
    if validation.required("request_id", request.request_id):
        validation.max_length("request_id", request.request_id, _LONGEST)
    validation.required("source", request.source)
    validation.non_negative("speed", request.speed)
    for field in ("from_date", "to_date"):
        text = getattr(request, field)
        validation.check(not text or _is_day(text), field, f"must be YYYY-MM-DD, not {text!r}")
    for place, symbol in enumerate(request.symbols):
        validation.required(f"symbols[{place}]", symbol)
    validation.raise_if_any()
    return derive_id("replay", request.request_id)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
