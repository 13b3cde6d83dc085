"""How clients open channels."""

from typing import Final

_MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024

CHANNEL_OPTIONS: Final = (
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
    # A peer that vanished without a word is noticed within 30 s.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # A service restarted on its port is found again at once: grpc itself would wait for a second and more.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # The services are here or on the same network: a proxy in the environment is for the web.
    ("grpc.enable_http_proxy", 0),
    # Closing one client must leave another's connection alone.
    ("grpc.use_local_subchannel_pool", 1),
)
