from run_records import span

from skewline.clients.report.span_tree import depth_first


def test_children_follow_their_parents_by_start() -> None:
    spans = [
        span(4, 1, "late", "b"),
        span(0, None, "root", "a"),
        span(1, 0, "first", "a"),
        span(2, 1, "early", "b"),
        span(3, 0, "second", "a"),
    ]
    rows = [(depth, found.name) for depth, found in depth_first(spans)]
    assert rows == [(0, "root"), (1, "first"), (2, "early"), (2, "late"), (1, "second")]


def test_a_span_without_its_parent_is_not_lost() -> None:
    rows = depth_first([span(1, 99, "orphan", "a"), span(2, 1, "child", "a")])
    assert [(depth, found.name) for depth, found in rows] == [(0, "orphan"), (1, "child")]
