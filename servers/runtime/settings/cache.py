"""Settings of the cache of latest values."""

from typing import Annotated

from pydantic import AfterValidator, Field

from skewline.servers.runtime.settings.section import Section
from skewline.servers.runtime.settings.url import one_of_schemes

RedisUrl = Annotated[str, AfterValidator(one_of_schemes("redis", "rediss", "unix"))]


class CacheSettings(Section):
    """Where the latest chain and surface are kept at hand."""

    redis_url: RedisUrl | None = Field(default=None, repr=False)
    """Redis (`redis://host:6379/0`); unset: inside the process."""
