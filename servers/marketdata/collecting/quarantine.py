"""Rejected chains, each a line of JSON with its reason and all of its content."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import zstandard

from skewline.servers.runtime import new_york
from skewline.v1 import chain_pb2


def quarantine(folder: Path, chain: chain_pb2.OptionChain, summary: chain_pb2.ChainSummary) -> Path:
    """Append `chain` to the file of its underlying and day, and return that. Raises OSError."""
    day = new_york.date_of(chain.time_ns).isoformat() if chain.time_ns > 0 else "undated"
    name = "".join(c if c.isalnum() or c in "_-" else "_" for c in summary.underlying)[:64]
    file = folder / f"quarantine-{name}-{day}.jsonl"
    packed = zstandard.compress(chain.SerializeToString(deterministic=True))
    line = {
        "snapshot_id": summary.snapshot_id,
        "underlying": summary.underlying,
        "time_ns": summary.time_ns,
        "source": summary.source,
        "reason": summary.reason,
        "detail": summary.detail,
        "chain": base64.b64encode(packed).decode(),
    }
    with file.open("ab") as lines:
        lines.write(json.dumps(line).encode() + b"\n")
        lines.flush()
        os.fsync(lines.fileno())
    return file


def quarantined(file: Path) -> list[tuple[str, chain_pb2.OptionChain]]:
    """Reason and chain of each line; a last line that was cut off is passed over."""
    found = []
    for line in file.read_bytes().splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            continue
        raw = zstandard.decompress(base64.b64decode(told["chain"]))
        found.append((told["reason"], chain_pb2.OptionChain.FromString(raw)))
    return found
