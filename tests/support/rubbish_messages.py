"""Rubbish for any message of the contract: seeded, and made from its descriptor."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

_MOST_DEPTH: Final = 4
_INT32: Final = (0, 1, -1, 2**31 - 1, -(2**31), 999_999_999, 1_000_000_000, -1_000_000_000)
_INT64: Final = (0, 1, -1, 2**63 - 1, -(2**63), 10**9, -(10**18), 1_558_700_000_000_000_000)
_UINT: Final = (0, 1, 2, 5, 1000, 1001, 2**31)
_DOUBLES: Final = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.95,
    1e-320,
    1e308,
    -1e308,
    float("nan"),
    float("inf"),
    float("-inf"),
)
_TEXTS: Final = (
    "", " ", "x", "∀ 🦀\u202e\u0000", "'; DROP TABLE orders; --", "a.b", "*", ">", "../../etc/passwd",
    "2019-13-45", "2019-05-24", "0" * 32, "AAAA", "%s%n", "A" * 300, "Z" * 20_000,
)  # fmt: skip

_NUMBERS: Final = {
    FieldDescriptor.TYPE_INT32: _INT32,
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_UINT32: _UINT,
    FieldDescriptor.TYPE_UINT64: (*_UINT, 2**63, 2**64 - 1),
    FieldDescriptor.TYPE_DOUBLE: _DOUBLES,
    FieldDescriptor.TYPE_BOOL: (False, True),
}


@dataclass(frozen=True, slots=True)
class Rubbish:
    """Makes messages. `known` has true values by field name, which lead to checks behind checks."""

    random: random.Random
    known: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def message(self, kind: type[Message], depth: int = 0) -> Message:
        """A message of `kind` with fields set at random."""
        made = kind()
        self._fill(made, depth)
        return made

    def spoiled(self, encoded: bytes) -> bytes:
        """`encoded` cut short, with bits flipped, or with bytes put in."""
        if not encoded:
            return self.random.randbytes(self.random.randint(1, 64))
        at = self.random.randrange(len(encoded))
        way = self.random.randrange(3)
        if way == 0:
            return encoded[:at]
        if way == 1:
            return encoded[:at] + bytes([encoded[at] ^ (1 << self.random.randrange(8))]) + encoded[at + 1 :]
        return encoded[:at] + self.random.randbytes(3) + encoded[at:]

    def bent(self, sound: Message) -> Message:
        """A copy of `sound` with one field, somewhere in it, replaced by rubbish or left out."""
        made = type(sound)()
        made.CopyFrom(sound)
        inside: Any = made
        while True:
            set_fields = [each for each, _ in inside.ListFields()]
            fields = set_fields or list(inside.DESCRIPTOR.fields)
            if not fields:
                return made
            each = self.random.choice(fields)
            nested = each.type == FieldDescriptor.TYPE_MESSAGE and each in set_fields
            if not nested or self.random.random() < 0.15:
                break
            value = getattr(inside, each.name)
            inside = self.random.choice(list(value)) if each.is_repeated else value
        self._bend(inside, each)
        return made

    def _bend(self, inside: Message, each: FieldDescriptor) -> None:
        column = getattr(inside, each.name)
        if (
            each.is_repeated
            and each.type != FieldDescriptor.TYPE_MESSAGE
            and column
            and self.random.random() < 0.7
        ):
            column[self.random.randrange(len(column))] = self._scalar(each)
            return
        inside.ClearField(each.name)
        if self.random.random() < 0.8:
            self._set(inside, each, 1)

    def _fill(self, made: Any, depth: int) -> None:
        for each in made.DESCRIPTOR.fields:
            if self.random.random() < 0.75:
                self._set(made, each, depth)

    def _set(self, made: Message, each: FieldDescriptor, depth: int) -> None:
        if each.type == FieldDescriptor.TYPE_MESSAGE:
            if (
                each.message_type is not None and each.message_type.GetOptions().map_entry
            ) or depth >= _MOST_DEPTH:
                return
            if each.is_repeated:
                for _ in range(self.random.choice((0, 1, 2, 7))):
                    self._fill(getattr(made, each.name).add(), depth + 1)
            else:
                getattr(made, each.name).SetInParent()
                self._fill(getattr(made, each.name), depth + 1)
        elif each.is_repeated:
            values = [self._scalar(each) for _ in range(self.random.choice((0, 1, 2, 3, 40)))]
            getattr(made, each.name).extend(values)
        else:
            setattr(made, each.name, self._scalar(each))

    def _scalar(self, each: FieldDescriptor) -> Any:
        known = self.known.get(each.name)
        if known and self.random.random() < 0.7:
            return self.random.choice(known)
        if each.enum_type is not None:
            return self.random.choice((*(v.number for v in each.enum_type.values), -1, 99, 2**31 - 1))
        if each.type == FieldDescriptor.TYPE_STRING:
            return self.random.choice(_TEXTS)
        return self.random.choice(_NUMBERS[each.type])
