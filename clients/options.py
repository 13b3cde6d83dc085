"""How patient a client is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """Deadlines, retries and flow control of a client."""

    timeout_s: float = 10.0
    """A call with all its retries, and the wait for each answer on a stream of questions, takes no longer."""
    attempts: int = 4
    """How often a call is tried, and a stream opened that never gave anything, while it may be repeated."""
    first_pause_s: float = 0.1
    """Before the second attempt; doubles from there, moved at random by up to a quarter."""
    most_pause_s: float = 5.0
    """No pause of the client's own choice is longer."""
    reconnect_for_s: float = 60.0
    """A stream that broke is opened again, and resumed, for so long."""
    credit: int = 16
    """Items that a subscription lets the service send ahead; more wait there, or are conflated."""
