"""The corporate actions known, and which of them a snapshot carries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from skewline.servers.runtime.corporate_actions import CASH_DIVIDEND, SPLIT, completed, concerning, same_terms
from skewline.servers.runtime.day_count import DAY_NS
from skewline.v1 import chain_pb2, corporate_action_pb2

RECENT_NS: Final = 30 * DAY_NS
"""For how long at the least snapshots carry a split: who missed the first of them learns it from the next."""


class ActionMaster:
    """Pure: the newest terms of each action, by id."""

    def __init__(self, known: Iterable[corporate_action_pb2.CorporateAction] = ()) -> None:
        self._known = {action.action_id: action for action in known}

    def learn(
        self, actions: Iterable[corporate_action_pb2.CorporateAction], now_ns: int
    ) -> list[corporate_action_pb2.CorporateAction]:
        """Take valid `actions`; those that are new, or whose terms changed before they took effect."""
        fresh = []
        for told in actions:
            action = completed(told)
            before = self._known.get(action.action_id)
            if before is None or (before.effective_ns > now_ns and not same_terms(before, action)):
                self._known[action.action_id] = action
                fresh.append(action)
        return fresh

    def of(self, underlying: str) -> list[corporate_action_pb2.CorporateAction]:
        """All of an underlying, or that gave it its symbol, by effect."""
        return _in_order(concerning(self._known.values(), underlying))

    def carried_by(
        self, chain: chain_pb2.OptionChain, seen_ns: Callable[[str], int]
    ) -> list[corporate_action_pb2.CorporateAction]:
        """What `chain` is to carry: dividends still to come until its last expiry, and what was recently.

        That is within `RECENT_NS`, or since the snapshot before it, however long ago that was: `seen_ns` is
        the data time of a symbol's last one, 0 without any; of an earlier symbol's before this one's first.
        A split yet to come is not among them, nor a dividend behind it, which is in the units after it.
        """
        last_ns = max((expiry.expiry_ns for expiry in chain.expiries), default=chain.time_ns)
        of = self.of(chain.underlying)
        seen = seen_ns(chain.underlying) or max((seen_ns(action.underlying) for action in of), default=0)
        since_ns = min(chain.time_ns - RECENT_NS, seen or chain.time_ns)
        # What is paid after a split yet to come is not in the units that these contracts deliver.
        splits = (action.effective_ns for action in of if action.kind == SPLIT)
        until_ns = min((ns - 1 for ns in splits if ns > chain.time_ns), default=last_ns)
        return [
            action
            for action in of
            if since_ns < action.effective_ns <= chain.time_ns
            or (
                action.kind == CASH_DIVIDEND and chain.time_ns < action.effective_ns <= min(last_ns, until_ns)
            )
        ]


def _in_order(
    actions: Sequence[corporate_action_pb2.CorporateAction],
) -> list[corporate_action_pb2.CorporateAction]:
    return sorted(actions, key=lambda action: (action.effective_ns, action.action_id))
