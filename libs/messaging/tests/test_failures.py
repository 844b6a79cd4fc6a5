"""Whose fault a failure is, and what is told of it."""

import asyncpg
import pytest
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from messaging.failures import describe, is_passing, is_slow

PASSING = [
    ConnectionResetError(),
    ConnectionRefusedError(),
    TimeoutError(),
    MemoryError(),
    PoolTimeoutError(),
    asyncpg.ConnectionDoesNotExistError(),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"),
    asyncpg.SerializationError(),
    asyncpg.DeadlockDetectedError(),
    asyncpg.LockNotAvailableError(),
    asyncpg.QueryCanceledError(),
    asyncpg.DiskFullError(),
    asyncpg.TooManyConnectionsError(),
    asyncpg.AdminShutdownError(),
    asyncpg.ReadOnlySQLTransactionError(),
    asyncpg.UndefinedTableError(),
    asyncpg.InsufficientPrivilegeError(),
]
OWN_FAULT = [
    ValueError(),
    KeyError("x"),
    AssertionError(),
    asyncpg.UniqueViolationError(),
    asyncpg.ForeignKeyViolationError(),
    asyncpg.NumericValueOutOfRangeError(),
    asyncpg.DataError("invalid input for query argument $1"),
    asyncpg.InFailedSQLTransactionError(),
]


def wrapped(error: Exception) -> DBAPIError:
    """Give the error as SQLAlchemy's adapter raises it."""
    adapter = RuntimeError()
    adapter.__cause__ = error
    return DBAPIError("select", {}, adapter)


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_the_moments_fault_passes(error: Exception) -> None:
    assert is_passing(error)
    if isinstance(error, asyncpg.PostgresError):
        assert is_passing(wrapped(error))


@pytest.mark.parametrize("error", OWN_FAULT, ids=lambda error: type(error).__name__)
def test_the_events_fault_does_not(error: Exception) -> None:
    assert not is_passing(error)
    assert not is_passing(wrapped(error))


def test_what_ran_out_of_time_may_pass_in_smaller_pieces() -> None:
    assert is_slow(asyncpg.QueryCanceledError())
    assert is_slow(TimeoutError())
    assert not is_slow(asyncpg.SerializationError())


def test_an_error_is_told_by_kind_and_place_and_never_quotes() -> None:
    class Person(BaseModel):
        name: int

    with pytest.raises(ValidationError) as caught:
        Person.model_validate({"name": "张三"})
    told = describe(caught.value)
    assert "name: int_parsing" in told
    assert "张三" not in told
    assert describe(ValueError("13800138000")) == "ValueError"
