"""Reads arrays of numbers out of Python source without running it."""

from __future__ import annotations

import ast
from typing import TypeAlias

from skewline.servers.marketdata.sources.source import SourceError

Literal: TypeAlias = "str | float | list[Literal]"


def assigned_in(source: bytes, function: str, where: str) -> dict[str, Literal]:
    """The literals that `function` assigns to names: numbers, text, and lists, tuples and array(…) of these.

    Anything else is left out. Raises SourceError if `source` has no such function.
    """
    try:
        module = ast.parse(source)
    except SyntaxError as error:
        raise SourceError(f"{where} is not Python source: fetch it again") from error
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return {
                statement.targets[0].id: value
                for statement in node.body
                if isinstance(statement, ast.Assign)
                and isinstance(statement.targets[0], ast.Name)
                and (value := _value(statement.value)) is not None
            }
    raise SourceError(f"{where} has no function {function}: it is not the version that is expected")


def _value(node: ast.expr) -> Literal | None:
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _value(operand)
            return -inner if isinstance(inner, float) else None
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            values = [_value(element) for element in elements]
            return None if any(value is None for value in values) else [v for v in values if v is not None]
        case ast.Call(func=ast.Name(id="array") | ast.Attribute(attr="array"), args=[first]):
            return _value(first)
    return None
