"""The one conversation with the risk service: questions out, decisions in, whatever breaks in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import grpc
import grpc.aio

from skewline.servers.runtime.backoff import Backoff
from skewline.servers.runtime.ending import end
from skewline.servers.runtime.errors import Unavailable
from skewline.servers.runtime.logs import logger
from skewline.v1 import risk_service_pb2, risk_service_pb2_grpc

_Request = risk_service_pb2.CheckIntentsRequest
_Response = risk_service_pb2.CheckIntentsResponse

_DEFINITIVE: Final = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNIMPLEMENTED,
)
"""Answers that asking again does not change."""


class RiskRefusedQuestion(ValueError):
    """The risk service will never answer this request: it is wrong, or not allowed."""


class RiskLinkClosed(Exception):
    """This service stops; the question is asked again by the next process."""


@dataclass(slots=True)
class _Question:
    request: _Request
    answer: asyncio.Future[_Response]
    waiting: int = 0


class RiskLink:
    """A long-lived bidirectional stream that comes back after any failure.

    What is unanswered then is asked again: the risk service answers a request that it knows with the
    decisions that it gave.
    """

    def __init__(self, channel: grpc.aio.Channel, deadline_s: float) -> None:
        """After `deadline_s` without an answer the stream is taken to be dead."""
        self._stub = risk_service_pb2_grpc.RiskServiceStub(channel)
        self._deadline_s = deadline_s
        self._open: dict[str, _Question] = {}
        self._unsent: asyncio.Queue[_Request] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._call: grpc.aio.StreamStreamCall[_Request, _Response] | None = None
        self._closed = False

    async def start(self) -> None:
        """Begin to connect."""
        self._task = asyncio.create_task(self._converse(), name="risk link")

    async def stop(self) -> None:
        """End the conversation; whoever waits gets RiskLinkClosed."""
        self._closed = True
        if self._task is not None:
            await end(self._task)
        self._fail(RiskLinkClosed("the service stops"))

    async def check(self, request: _Request, give_up_s: float | None = None) -> _Response:
        """The decisions, waited for as long as it takes, or for `give_up_s` seconds.

        Raises RiskRefusedQuestion, RiskLinkClosed, and Unavailable after `give_up_s`.
        """
        if self._closed:
            raise RiskLinkClosed("the service stops")
        known = self._open.get(request.request_id)
        question = known or _Question(request, asyncio.get_running_loop().create_future())
        if known is None:
            self._open[request.request_id] = question
            self._unsent.put_nowait(request)
        question.waiting += 1
        try:
            async with asyncio.timeout(give_up_s):
                return await self._answer(question)
        except TimeoutError as error:
            raise Unavailable(
                f"the risk service did not decide within {give_up_s:g} s, and nothing was traded; "
                "send the same request again soon, or what risk approves for it then is given back",
                timedelta(seconds=1),
            ) from error
        finally:
            question.waiting -= 1
            if not question.waiting:
                self._open.pop(request.request_id, None)

    async def _answer(self, question: _Question) -> _Response:
        while True:
            done, _ = await asyncio.wait((question.answer,), timeout=self._deadline_s)
            if done:
                return question.answer.result()
            logger(__name__).warning("risk_does_not_answer", request_id=question.request.request_id)
            if self._call is not None:
                self._call.cancel()

    async def _converse(self) -> None:
        backoff = Backoff(first=0.05, most=2.0)
        while True:
            try:
                await self._one_stream(backoff)
            except grpc.aio.AioRpcError as error:
                if error.code() in _DEFINITIVE:
                    self._fail(RiskRefusedQuestion(f"{error.code().name}: {error.details()}"))
                logger(__name__).warning("risk_link_lost", code=error.code().name, error=error.details())
            except asyncio.CancelledError:
                # A call that was cancelled for its silence is begun anew; the task itself ends.
                if self._closed:
                    raise
            await asyncio.sleep(backoff.next())

    async def _one_stream(self, backoff: Backoff) -> None:
        # Whatever is open goes out again first; what was put into the old queue is among it.
        self._unsent = asyncio.Queue()
        for question in self._open.values():
            self._unsent.put_nowait(question.request)
        call = self._call = self._stub.CheckIntents(self._requests(self._unsent), wait_for_ready=True)
        try:
            async for response in call:
                backoff.reset()
                asked = self._open.get(response.request_id)
                if asked is not None and not asked.answer.done():
                    asked.answer.set_result(response)
        finally:
            self._call = None
            call.cancel()

    async def _requests(self, unsent: asyncio.Queue[_Request]) -> AsyncIterator[_Request]:
        while True:
            yield await unsent.get()

    def _fail(self, error: Exception) -> None:
        for question in self._open.values():
            if not question.answer.done():
                question.answer.set_exception(error)
