"""When a client tries again, and when it gives up."""

from __future__ import annotations

from datetime import timedelta

import grpc
import pytest

from skewline.clients import ClientClosed, ClientOptions, SkewlineError
from skewline.clients.retrying import Attempts, Persistence

GONE = SkewlineError(grpc.StatusCode.UNAVAILABLE, "gone")


def test_pauses_double_within_a_quarter_either_way() -> None:
    attempts = Attempts(ClientOptions(attempts=5, first_pause_s=0.1))
    for expected in (0.1, 0.2, 0.4, 0.8):
        assert 0.75 * expected <= attempts.pause_after(GONE) <= 1.25 * expected
    with pytest.raises(SkewlineError, match="gone"):
        attempts.pause_after(GONE)


def test_the_service_says_how_long_to_wait() -> None:
    wait = SkewlineError(grpc.StatusCode.RESOURCE_EXHAUSTED, "full", retry_after=timedelta(seconds=3))
    assert Attempts(ClientOptions()).pause_after(wait) == 3.0


def test_no_pause_goes_past_the_deadline() -> None:
    wait = SkewlineError(grpc.StatusCode.UNAVAILABLE, "starting", retry_after=timedelta(seconds=30))
    with pytest.raises(SkewlineError, match="starting"):
        Attempts(ClientOptions(timeout_s=10)).pause_after(wait)


@pytest.mark.parametrize(
    "code", [c for c in grpc.StatusCode if c is not grpc.StatusCode.UNAVAILABLE], ids=str
)
def test_only_what_may_pass_is_repeated(code: grpc.StatusCode) -> None:
    with pytest.raises(SkewlineError):
        Attempts(ClientOptions()).pause_after(SkewlineError(code, "no"))


def test_a_stream_that_never_worked_gives_up_after_a_few_attempts() -> None:
    persistence = Persistence(ClientOptions(attempts=2))
    persistence.pause_after(GONE)
    with pytest.raises(SkewlineError, match="gone"):
        persistence.pause_after(GONE)


def test_a_stream_that_worked_goes_on_for_its_time() -> None:
    persistence = Persistence(ClientOptions(attempts=1, reconnect_for_s=60, most_pause_s=0.5))
    persistence.worked()
    pauses = [persistence.pause_after(GONE) for _ in range(50)]
    assert max(pauses) <= 0.625
    out_of_time = Persistence(ClientOptions(reconnect_for_s=0))
    out_of_time.worked()
    with pytest.raises(SkewlineError, match="gone"):
        out_of_time.pause_after(GONE)


def test_a_closed_client_does_not_try_again() -> None:
    with pytest.raises(ClientClosed):
        Persistence(ClientOptions()).pause_after(ClientClosed())
