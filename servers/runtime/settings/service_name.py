"""The names of the five services, in the order in which an event passes through them."""

from typing import Final, Literal, TypeAlias, get_args

ServiceName: TypeAlias = Literal["marketdata", "calibration", "signal", "risk", "order"]

SERVICES: Final[tuple[ServiceName, ...]] = get_args(ServiceName)
