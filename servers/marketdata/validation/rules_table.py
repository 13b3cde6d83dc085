"""The rules as tables, printed by `python -m skewline.servers.marketdata.validation.rules_table`."""

from __future__ import annotations

from collections.abc import Iterable

from skewline.servers.marketdata.validation.contract_rules import CONTRACT_RULES
from skewline.servers.marketdata.validation.notes import NOTES
from skewline.servers.marketdata.validation.snapshot_rules import SNAPSHOT_RULES


def markdown() -> str:
    """A table each of the rules for snapshots and for contracts, and of the notes, in the order applied."""
    return "\n\n".join(
        (
            _table("a snapshot is rejected for", ((r.reason, r.meaning) for r in SNAPSHOT_RULES)),
            _table("a contract is set aside for", ((r.reason, r.meaning) for r in CONTRACT_RULES)),
            _table("a contract that stays is counted for", ((n.reason, n.meaning) for n in NOTES)),
        )
    )


def _table(heading: str, rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(
        (f"| {heading} | because |", "|---|---|", *(f"| {reason} | {meaning} |" for reason, meaning in rows))
    )


if __name__ == "__main__":
    print(markdown())
