"""Settings that nobody may see."""

from typing import Annotated

from pydantic import AfterValidator, SecretStr


def _printable(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if not (value and value.isascii() and value.isprintable() and " " not in value):
        raise ValueError("must be letters, digits and signs, without a space or a line's end")
    return secret


Secret = Annotated[SecretStr, AfterValidator(_printable)]
"""A key or a password, fit for a header; masked wherever settings are shown."""
