"""Live feeds in words."""

from __future__ import annotations

from rich.text import Text

from skewline.clients.cli.wording import provenance, time_text, word
from skewline.v1 import feed_pb2

_STYLES = {
    feed_pb2.FEED_STATE_LIVE: "green",
    feed_pb2.FEED_STATE_STALE: "yellow",
    feed_pb2.FEED_STATE_DOWN: "bold red",
}


def state_text(feed: feed_pb2.Feed) -> Text:
    """`LIVE`, `DOWN`, in their colours."""
    return Text(word(feed_pb2.FeedState, feed.state).upper(), style=_STYLES.get(feed.state, ""))


def reason_text(feed: feed_pb2.Feed) -> str:
    """Why it is not live; empty while it is."""
    return f"{feed.reason}: {feed.detail}" if feed.reason else ""


def notice_text(notice: feed_pb2.FeedNotice) -> Text:
    """A change of state, or a gap."""
    feed = notice.feed
    line = Text(f"{feed.feed}  ")
    line.append_text(provenance(feed.provenance)).append("  ")
    if notice.HasField("gap"):
        gap = notice.gap
        words = f"gap from {time_text(gap.from_ns)} to {time_text(gap.to_ns)}: {gap.reason}: {gap.detail}"
        return line.append(words, style="yellow")
    line.append_text(state_text(feed)).append(f" since {time_text(feed.since_ns)}")
    return line.append(f"  {reason_text(feed)}" if feed.reason else "")
