"""Pages: sizes and tokens."""

import pytest

from skewline.servers.runtime.errors import InvalidArgument
from skewline.servers.runtime.paging import Page, page_of, token_after

_QUERY = "orders?underlying=SPX"


def test_nothing_given_is_the_first_hundred() -> None:
    assert page_of(0, "", _QUERY) == Page(100, None)


@pytest.mark.parametrize("key", [("SPX", 3), (2**62,), ("σ–\0", ""), ()])
def test_a_token_gives_back_its_key(key: tuple[str | int, ...]) -> None:
    assert page_of(1000, token_after(key, _QUERY), _QUERY) == Page(1000, key)


@pytest.mark.parametrize("size", [-1, 1001, 2**31])
def test_sizes_out_of_bounds_are_refused(size: int) -> None:
    with pytest.raises(InvalidArgument) as caught:
        page_of(size, "", _QUERY)
    assert [v.field for v in caught.value.violations] == ["page_size"]


def test_a_token_changed_anywhere_is_refused() -> None:
    token = token_after(("SPX", 3), _QUERY)
    for position, letter in enumerate(token):
        changed = token[:position] + ("A" if letter != "A" else "B") + token[position + 1 :]
        with pytest.raises(InvalidArgument, match="page_token"):
            page_of(0, changed, _QUERY)


@pytest.mark.parametrize("rubbish", ["x", "ж", "====", "AAAAAAAA", "%%%", "A" * 10_000, " "])
def test_rubbish_tokens_are_refused(rubbish: str) -> None:
    with pytest.raises(InvalidArgument, match="page_token"):
        page_of(0, rubbish, _QUERY)


def test_a_token_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="same filters"):
        page_of(0, token_after((1,), "orders?underlying=GOOG"), _QUERY)


def test_size_and_token_are_refused_together() -> None:
    with pytest.raises(InvalidArgument) as caught:
        page_of(-1, "x", _QUERY)
    assert [v.field for v in caught.value.violations] == ["page_size", "page_token"]
