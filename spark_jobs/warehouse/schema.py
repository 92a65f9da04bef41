"""Make or upgrade the warehouse's schemas, tables, views and roles from `sql/ddl` and `sql/views`."""

from __future__ import annotations

from pathlib import Path

from psycopg import errors, sql

from spark_jobs.contracts import DELETED, FILES, STAGED, STAR
from spark_jobs.errors import BadUsage
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.contracts import MARTS, MODEL_RUNS, OPS, RECOMMENDATIONS
from spark_jobs.warehouse.failures import explained
from spark_jobs.warehouse.lock import LOCK_CLASS, SCHEMA
from spark_jobs.warehouse.statements import SQL, comments, read
from spark_jobs.warehouse.transaction import limit_lock_wait
from spark_jobs.warehouse.views import View, views
from spark_jobs.warehouse.views import comments as comments_on_view

VERSION = 8
"""Counts up with every change of sql/ddl or sql/views; an older warehouse is brought up to it."""

_CREATOR_WAIT_SECONDS = 30
_LOCK_WAIT_SECONDS = 1
"""Whoever wants a view for himself holds up all who come to read it after him, so views come last and are not waited for long."""

_ROLES = SQL / "ddl" / "60_roles.sql"
_GRANTS = SQL / "ddl" / "70_grants.sql"


@explained
def ensure(connection: Connection) -> list[str]:
    """Bring the warehouse to this program's schema version; one query when it is there already.

    Several programs may do so at once: one works, the others wait and find it done.

    Returns:
        Notes for a person, such as what an administrator has still to do.

    Raises:
        BadUsage: The warehouse is newer than this program, or somebody's own table or view has the name of a new one; nothing is touched.
        ServiceUnreachable: The user may not create schemas here.
        LockHeld: Somebody holds a table that has to be changed.
    """
    if _is_current(connection):
        return []
    with connection.transaction():
        limit_lock_wait(connection, _CREATOR_WAIT_SECONDS)
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, SCHEMA])
        limit_lock_wait(connection, _LOCK_WAIT_SECONDS)
        if _is_current(connection):
            return []
        for path in _tables():
            connection.execute(read(path))
        notes = _make_roles(connection)
        connection.execute(_comments())
        for view in views():
            _make(connection, view)
        connection.execute(read(_GRANTS))
        connection.execute("DELETE FROM ops.schema_version")
        connection.execute("INSERT INTO ops.schema_version (version) VALUES (%s)", [VERSION])
    return notes


def _is_current(connection: Connection) -> bool:
    """Tell whether nothing is to be done.

    Raises:
        BadUsage: The warehouse is newer than this program.
    """
    try:
        with connection.transaction():
            row = connection.execute("SELECT version FROM ops.schema_version").fetchone()
    except errors.UndefinedTable:
        return False
    version = int(str(row[0])) if row else 0
    if version > VERSION:
        raise BadUsage(
            f"The warehouse has schema version {version}, and this Songlake knows versions up to {VERSION}.",
            "Upgrade Songlake; nothing was changed.",
        )
    return version == VERSION


def _tables() -> list[Path]:
    """The files that make schemas and tables, in order."""
    return [path for path in sorted((SQL / "ddl").glob("*.sql")) if path not in (_ROLES, _GRANTS)]


def _make_roles(connection: Connection) -> list[str]:
    """Make the group roles if this user may; else say what an administrator runs."""
    try:
        with connection.transaction():
            connection.execute(read(_ROLES))
    except errors.InsufficientPrivilege:
        command = f"psql --dbname={connection.info.dbname} --file=sql/ddl/{_ROLES.name} --file=sql/ddl/{_GRANTS.name}"
        return [
            f"User {connection.info.user} may not create the roles songlake_writer and songlake_reader; an administrator can: `{command}`."
        ]
    return []


def _make(connection: Connection, view: View) -> None:
    """Make a view or put a new definition in its place; views that others made on it stay, as columns are only ever added at its end."""
    try:
        connection.execute(read(view.path))
    except (errors.InvalidTableDefinition, errors.WrongObjectType) as error:
        raise BadUsage(
            f"dwh.{view.name} cannot be made: a table or view of that name stands there that is not Songlake's.",
            f"Give that another name (ALTER TABLE or ALTER VIEW dwh.{view.name} RENAME TO ...), then run again; nothing was changed.",
        ) from error
    connection.execute(comments_on_view(view))


def _comments() -> sql.Composed:
    """Write the contracts' sentences into PostgreSQL, where database tools show them."""
    parts = [comments("dwh", table, table.warehouse_columns) for table in (*STAR, *MARTS, RECOMMENDATIONS)]
    parts += [comments("ops", table, table.warehouse_columns) for table in (FILES, *OPS, MODEL_RUNS)]
    parts += [comments("staging", table, (*table.warehouse_columns, DELETED)) for table in STAGED]
    parts += [comments("staging", RECOMMENDATIONS, RECOMMENDATIONS.columns)]
    return sql.SQL("\n").join(parts)
