"""One process that is kept running."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from skewline.servers.runtime.backoff import Backoff
from skewline.servers.runtime.process import ChildProcess, Command
from skewline.servers.runtime.readiness import Ready
from skewline.servers.runtime.stack_file import ProcessPhase, ProcessState

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How patiently a process that dies is started again."""

    first_pause: float = 0.2
    """Seconds before the first restart; doubles up to `longest_pause`."""
    longest_pause: float = 10.0
    """Seconds."""
    stable_after: float = 30.0
    """Seconds of service after which earlier crashes are forgotten."""
    give_up_after: int = 6
    """Crashes in a row, each before it was stable, that are enough."""


class StartFailed(RuntimeError):
    """A process did not come up; the message has the end of its log."""


class Supervised:
    """Starts `command`, waits until it is `ready`, and starts it again when it dies.

    `changed` is called after every change of `state`; `address` and `metrics` are for the record.
    """

    def __init__(
        self,
        command: Command,
        ready: Ready,
        *,
        policy: RestartPolicy,
        start_timeout: float,
        grace: float,
        changed: Callable[[], None],
        address: str,
        metrics: str = "",
    ) -> None:
        self.name = command.name
        self.restarts = 0
        self.problem = ""
        self._command = command
        self._ready = ready
        self._policy = policy
        self._start_timeout = start_timeout
        self._grace = grace
        self._changed = changed
        self._address = address
        self._metrics = metrics
        self._phase: ProcessPhase = "stopped"
        self._child: ChildProcess | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def phase(self) -> ProcessPhase:
        """Where it stands."""
        return self._phase

    @property
    def state(self) -> ProcessState:
        """For the stack file."""
        return ProcessState(
            state=self._phase,
            pid=self._child.pid if self._child is not None else 0,
            restarts=self.restarts,
            address=self._address,
            metrics=self._metrics,
            log=str(self._command.log),
            problem=self.problem,
        )

    async def start(self) -> None:
        """Start and wait until ready, once. Raises StartFailed."""
        self._enter("starting")
        await self._bring_up()
        self._task = asyncio.create_task(self._keep_up(), name=f"supervise {self.name}")

    async def stop(self) -> None:
        """Stop it for good."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._child is not None:
            await self._child.stop(self._grace)
            self._child = None
        self._enter("stopped")

    async def _bring_up(self) -> None:
        try:
            self._child = child = await ChildProcess.spawn(self._command)
        except OSError as error:
            raise StartFailed(f"{self.name} cannot be run: {error}") from error
        self._changed()
        ready = asyncio.ensure_future(self._ready())
        ended = asyncio.ensure_future(child.wait())
        try:
            await asyncio.wait(
                {ready, ended}, timeout=self._start_timeout, return_when=asyncio.FIRST_COMPLETED
            )
            if ended.done():
                raise StartFailed(self._account(f"{ended.result()} before it was ready", child))
            if not ready.done():
                raise StartFailed(self._account(f"was not ready within {self._start_timeout:g} s", child))
            ready.result()
        except StartFailed:
            await child.kill()
            self._child = None
            raise
        finally:
            ready.cancel()
            ended.cancel()
            await asyncio.gather(ready, ended, return_exceptions=True)
        self._enter("serving")

    async def _keep_up(self) -> None:
        policy = self._policy
        backoff = Backoff(first=policy.first_pause, most=policy.longest_pause)
        crashes = 0
        while True:
            if self._child is not None:
                since = time.monotonic()
                ending = await self._child.wait()
                if time.monotonic() - since >= policy.stable_after:
                    crashes = 0
                    backoff.reset()
                self.problem = self._account(ending, self._child)
                # What it started itself must not stay behind, nor hold its port.
                await self._child.kill()
                self._child = None
            crashes += 1
            if crashes >= policy.give_up_after:
                self.problem = f"given up after {crashes} crashes in a row; {self.problem}"
                _log.error("%s", self.problem)
                self._enter("failed")
                return
            pause = backoff.next()
            _log.warning("%s; starting again in %.1f s", self.problem, pause)
            self._enter("restarting")
            await asyncio.sleep(pause)
            self.restarts += 1
            try:
                await self._bring_up()
            except StartFailed as failure:
                self.problem = str(failure)

    def _account(self, what: str, child: ChildProcess) -> str:
        return f"{self.name} {what}; end of {self._command.log}:\n{child.last_words()}"

    def _enter(self, phase: ProcessPhase) -> None:
        self._phase = phase
        self._changed()
