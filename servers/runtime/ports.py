"""Loopback ports for processes that must come back on the port they had."""

import random
import socket
from pathlib import Path
from typing import Final

_EPHEMERAL_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST: Final = 10_000
_ATTEMPTS: Final = 200


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port on `host` that nothing is bound to.

    It lies below the range the kernel gives to outgoing connections: a port from that range could be
    taken by a reconnecting client while its service restarts.

    Raises OSError when no free port was found.
    """
    highest = _ephemeral_start() - 1
    source = random.SystemRandom()
    for _ in range(_ATTEMPTS):
        port = source.randint(_LOWEST, highest)
        if not in_use(host, port):
            return port
    raise OSError(f"no free port on {host} between {_LOWEST} and {highest} after {_ATTEMPTS} attempts")


def in_use(host: str, port: int) -> bool:
    """Whether another program holds TCP `port` on `host`, or `host` is none of this machine's."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Connections that a stopped server left in TIME_WAIT do not keep its port from it.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def _ephemeral_start() -> int:
    if _EPHEMERAL_RANGE.exists():
        start = int(_EPHEMERAL_RANGE.read_text().split()[0])
        if start > _LOWEST + _ATTEMPTS:
            return start
    return 32_768
