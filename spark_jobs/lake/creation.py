"""Make the lake's tables as their contracts say, without a JVM."""

from __future__ import annotations

from deltalake import DeltaTable
from deltalake.schema import ArrayType, Field, PrimitiveType, Schema

from spark_jobs.contracts import FILES, LAKE, STAR, Table, Type
from spark_jobs.errors import LakeChanged
from spark_jobs.lake.log import REBUILD, lake_path, open_table
from spark_jobs.locations import Location, ObjectPath
from spark_jobs.object_store import delta_options

_PRIMITIVES = {
    Type.TEXT: "string",
    Type.BIGINT: "long",
    Type.INT: "integer",
    Type.DOUBLE: "double",
    Type.TIMESTAMP: "timestamp",
    Type.DATE: "date",
}

# Equal and long: a bookmark older than the retention cannot be read on from, even if every file is still there.
_RETENTION = "interval 365 days"

_PROPERTIES: dict[str, str | None] = {
    "delta.enableChangeDataFeed": "true",
    "delta.enableDeletionVectors": "false",
    "delta.deletedFileRetentionDuration": _RETENTION,
    "delta.logRetentionDuration": _RETENTION,
}


def create_missing(lake: Location) -> None:
    """Create the lake and star tables that do not exist, empty, and the columns that an older Songlake did not write yet, with nulls.

    Raises:
        LakeChanged: Some lake tables are there and others are gone, or a log cannot be read.
    """
    opened = {table: open_table(lake, table) for table in (*LAKE, *STAR)}
    missing = [table.name for table in LAKE if opened[table] is None]
    if opened[FILES] is not None and missing:
        raise LakeChanged(f"The lake in {lake} has no table {', '.join(missing)} any more.", REBUILD)
    for table, found in opened.items():
        if found is None:
            _create(lake, table)
        else:
            held = {field.name for field in found.schema().fields}
            columns = [field for field in _schema(table).fields if field.name not in held]
            if columns:
                found.alter.add_columns(columns)


def _create(lake: Location, table: Table) -> None:
    path = lake_path(lake, table)
    DeltaTable.create(
        str(path),
        storage_options=delta_options() if isinstance(path, ObjectPath) else None,
        schema=_schema(table),
        partition_by=list(table.partitioned_by) or None,
        # Rows are looked for by date or by what the key begins with; statistics of all columns cost two fifths of a large write.
        configuration=_PROPERTIES | {"delta.dataSkippingStatsColumns": table.key[0]},
        description=table.about,
    )


def _schema(table: Table) -> Schema:
    def kind(type_: Type) -> PrimitiveType | ArrayType:
        return ArrayType(PrimitiveType("string"), contains_null=True) if type_ is Type.TEXTS else PrimitiveType(_PRIMITIVES[type_])

    return Schema([Field(column.name, kind(column.type), nullable=column.nullable) for column in table.columns])
