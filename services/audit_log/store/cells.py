"""
What a cell of the store may hold: what the log writes there, and nothing else.

SQLite keeps whatever is put into a column. Here each column says what it holds, and whoever reads another thing from
it is told so by a code; the whole check reads past it, and names it.
"""

from collections.abc import Callable
from typing import Any, Final, TypeGuard, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    Integer,
    LargeBinary,
    Text,
    TypeDecorator,
    case,
    func,
    or_,
    type_coerce,
)
from sqlalchemy.sql.schema import Column
from sqlalchemy.types import NullType

from referral_contracts.codes import Code
from referral_contracts.errors import Fatal

MOST_BYTES: Final = 16 * 1024 * 1024
"""Of one cell. The largest, a change of the directory, has a megabyte."""
_ValueT = TypeVar("_ValueT")


class Bytes(TypeDecorator[bytes]):
    """Bytes, and not too many."""

    impl = LargeBinary
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:  # noqa: ANN401, ARG002 - a cell's
        """Return *value*, if it is some."""
        return _checked(value, is_bytes)


class Words(TypeDecorator[str]):
    """A text, and not too long a one."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ANN401, ARG002 - a cell's
        """Return *value*, if it is one."""
        return _checked(value, is_words)


class Number(TypeDecorator[int]):
    """A whole number."""

    impl = BigInteger
    cache_ok = True

    def __init__(self, kind: type[Integer] = BigInteger) -> None:
        """Keep it in as many bytes as *kind* has."""
        super().__init__()
        # The size is the column's own.
        self.impl = kind()  # type: ignore[assignment]

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ANN401, ARG002 - a cell's
        """Return *value*, if it is one."""
        return _checked(value, is_number)


def is_bytes(value: object) -> TypeGuard[bytes]:
    """Whether *value* is what a `Bytes` column holds."""
    return isinstance(value, bytes) and len(value) <= MOST_BYTES


def is_words(value: object) -> TypeGuard[str]:
    """Whether *value* is what a `Words` column holds."""
    if not isinstance(value, str) or len(value) > MOST_BYTES:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        # What is no UTF-8 in SQLite's file comes as surrogates: nobody could print it.
        return False
    return True


def is_number(value: object) -> TypeGuard[int]:
    """Whether *value* is what a `Number` column holds."""
    return isinstance(value, int)


def there(value: _ValueT | None) -> _ValueT:
    """
    Return *value*, of a column that is never without one.

    Raises:
        Fatal: STATE_FORMAT: it is.
    """
    if value is None:
        raise _broken()
    return value


def unread(column: Column[Any]) -> ColumnElement[Any]:
    """Return *column* as it is kept, for who reads past what does not belong there; None for what is too large."""
    if isinstance(column.type, Bytes | Words):
        return type_coerce(case((func.length(column) <= MOST_BYTES, type_coerce(column, NullType()))), NullType())
    return type_coerce(column, NullType())


def is_broken(column: Column[Any], dialect: Dialect) -> ColumnElement[bool]:
    """Return the condition that *column* holds what the log does not write there."""
    sized = isinstance(column.type, Bytes | Words)
    faults = [func.length(type_coerce(column, NullType())) > MOST_BYTES] if sized else []
    if dialect.name == "sqlite":
        kind = "blob" if isinstance(column.type, Bytes) else "text" if isinstance(column.type, Words) else "integer"
        allowed = [kind, "null"] if column.nullable else [kind]
        return or_(func.typeof(column).not_in(allowed), *faults)
    return or_(column.is_(None), *faults) if not column.nullable else or_(*faults)


def _checked(value: object, sound: Callable[[object], TypeGuard[_ValueT]]) -> _ValueT | None:
    if value is None or sound(value):
        return value
    raise _broken()


def _broken() -> Fatal:
    return Fatal(Code.STATE_FORMAT, "the store holds what this program never writes: `audit verify` names it")
