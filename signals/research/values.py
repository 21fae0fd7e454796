"""A policy, rules or costs with other values in place of its own, as a person writes them."""

import math
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from signals.errors import ConfigError

T = TypeVar("T", bound=msgspec.Struct)
_UNKNOWN = re.compile("Object contains unknown field `(.+)`")


def with_values(where: str, one: T, values: Mapping[str, Any]) -> T:
    """The same with these values, checked and converted.

    Parameters
    ----------
    where : the option and the section, as `--set rules`; the key at fault stands after it in the error.

    Raises
    ------
    ConfigError : an unknown key, a value of another type or out of range.
    """
    try:
        made = msgspec.convert(msgspec.structs.asdict(one) | dict(values), type(one))
    except msgspec.ValidationError as error:
        problem, _, at = str(error).partition(" - at `$")
        unknown = _UNKNOWN.fullmatch(problem)
        name = at.rstrip("`").lstrip(".") or (unknown[1] if unknown else "")
        section = where.rpartition(" ")[2]
        if unknown:
            known = ", ".join(f"{section}.{field}" for field in one.__struct_fields__)
            raise ConfigError(f"{where}.{name}", "there is no such key", f"the keys: {known}") from error
        given = values.get(name.partition("[")[0], "")
        mend = "write a list: [0.4]" if "Expected `array`" in problem else "give a value of that kind"
        raise ConfigError(f"{where}.{name}", f"{problem}, not {given!r}", mend) from error
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{where}.{name}", f"{value} is no figure to reckon with", "give a finite one")
    return made
