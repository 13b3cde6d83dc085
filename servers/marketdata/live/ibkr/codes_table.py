"""The codes as a table, printed by `python -m skewline.servers.marketdata.live.ibkr.codes_table`."""

from __future__ import annotations

from typing import Final

from skewline.servers.marketdata.live.ibkr.codes import CODES, Kind

_FOLLOWS: Final = {
    Kind.ENDS: "DOWN; connects again",
    Kind.LOST: "STALE; no chains",
    Kind.LOST_DATA: "everything is subscribed to again, then LIVE, and the gap is told",
    Kind.KEPT_DATA: "every subscription is verified, then LIVE, and the gap is told",
    Kind.FARM_BROKEN: "STALE; no chains",
    Kind.FARM_OK: "of a farm that was broken: as 1102",
    Kind.BARS_BROKEN: "STALE; chains go on",
    Kind.BARS_OK: "of a farm that was broken: bars are filled in, then LIVE, and the gap is told",
    Kind.PERMISSION: "DOWN, or delayed data where they are allowed",
    Kind.LINES: "the feeds make do with fewer lines, which is told",
    Kind.REFUSED: "the contract is left out until the next listing, which is told",
    Kind.BARS_REFUSED: "bars are asked for again after five minutes, which is told",
}


def markdown() -> str:
    """A row each, in the order of the kinds."""
    rows = (f"| {code.number} | {code.reason} | {_FOLLOWS[code.kind]} | {code.fix} |" for code in CODES)
    return "\n".join(("| code | reason | what follows | what you have to do |", "|---|---|---|---|", *rows))


if __name__ == "__main__":
    print(markdown())
