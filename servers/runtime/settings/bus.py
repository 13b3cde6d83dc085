"""Settings of the event bus."""

from typing import Annotated

from pydantic import AfterValidator, Field

from skewline.servers.runtime.settings.section import Section
from skewline.servers.runtime.settings.url import one_of_schemes

NatsUrl = Annotated[str, AfterValidator(one_of_schemes("nats", "tls", "ws", "wss"))]


class BusSettings(Section):
    """How services reach NATS JetStream, and how patient they are with it."""

    url: NatsUrl | None = Field(default=None, repr=False)
    """NATS servers, comma-separated (`nats://host:4222`); unset: the supervisor starts one."""

    ack_wait_s: float = Field(default=5.0, ge=0.5, le=3600)
    """Seconds of silence (a working consumer keeps saying so) after which an event is delivered again."""

    max_deliver: int = Field(default=20, ge=1, le=1000)
    """Deliveries of one event before it goes to the stream DEAD; three for a failure that cannot pass."""

    backoff_s: tuple[float, ...] = (0.1, 0.5, 2.0, 10.0, 30.0)
    """Seconds to wait before each further delivery of an event that failed; the last repeats."""

    publish_window: int = Field(default=256, ge=1, le=65536)
    """Publishes whose acknowledgement may be outstanding at once."""

    publish_timeout_s: float = Field(default=5.0, gt=0, le=300)
    """Seconds to wait for the acknowledgement of a publish."""

    fetch_batch: int = Field(default=64, ge=1, le=4096)
    """Events that one pull asks for."""
