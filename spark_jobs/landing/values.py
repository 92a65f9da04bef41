r"""Turn the fields of JSON lines into clean, typed values: built-in Spark functions only.

Two sorts of line come here. Plain ones (ASCII, flat, not long, no entities, no escapes but of quotes, slashes and backslashes) come as they
stand in the file; trimming spaces is all that cleaning can do for them. All others come with a record, whose texts are clean already
(`spark_jobs.landing.text`) and whose numbers are strings. The rules: docs/adr/0006-input-rules-in-detail.md.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, StringType, StructField, StructType

from spark_jobs.landing.reasons import Reason
from spark_jobs.landing.text import NESTED, UNKNOWN, Fields

_NUMBER = r"r'^(?=.{1,5000}\z)[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\z'"
r"""Up to 5,000 characters, since a decimal of a million digits would take the JVM hours. Not `$`, which passes over a line separator."""
_NOT_WHOLE = r"r'\.[0-9]{18}[0-9]*[1-9]|[eE]-[0-9]*[1-9][0-9]|[eE]\+?[0-9]{10}'"
"""Numbers with non-zero digits that a decimal of 18 places could round away, or with an exponent that is too long for it."""
_NOT_A_NUMBER = "('NaN', 'Infinity', '-Infinity', '+Infinity')"
_BARE = r"(-?(?:[0-9][0-9.eE+-]*|Infinity|NaN)|\")"
"""A number's token, or the beginning of a text, which is as it should be."""
_SEAL = "seal"

# Spark's reader is lenient by default; these make it as strict as RFC 8259, and lift its limits on the size of values.
_JSON_OPTIONS = {"allowSingleQuotes": "false", "maxStringLen": "2000000000", "maxNumLen": "2000000000"}


def read_values(lines: DataFrame, fields: Fields) -> DataFrame:
    """Parse lines and clean their fields.

    Args:
        lines: Columns line and record (the clean JSON, where the line is not plain).
        fields: What to look for.

    Returns:
        The columns of `lines`, and: is_object, whether it is exactly one JSON object; nested, whether a text field holds an object or an
        array; each text field, null where blank; each whole and double field as bigint and double, null where absent or no such number;
        `<name>_given` for each number field, whether it holds anything but NaN or an infinity; unknown_keys, the keys of the object that no
        field has.
    """
    numbers = {**fields.wholes, **fields.doubles}
    return (
        lines.withColumn("parsed", _parsed(fields))
        .withColumn("seen", F.expr("parsed[0]"))
        .selectExpr(
            *lines.columns,
            f"coalesce(size(parsed) = 2 AND parsed[1].{_SEAL} = {_seal()} AND seen IS NOT NULL, false) AS is_object",
            f"seen.{NESTED} IS NOT NULL AND record IS NOT NULL AS nested",
            f"{_unknown_keys(fields)} AS unknown_keys",
            *(f"nullif(trim({_as_written(key)}), '') AS {name}" for name, key in fields.texts.items()),
            *(f"{_number(_as_written(key))} AS {name}_number" for name, key in fields.wholes.items()),
            *(f"{_number(f'seen.{key}')} AS {name}_number" for name, key in fields.doubles.items()),
        )
        .selectExpr(
            *lines.columns,
            "is_object",
            "nested",
            "CASE WHEN is_object THEN unknown_keys END AS unknown_keys",
            *fields.texts,
            *(f"{_whole(f'{name}_number')} AS {name}" for name in fields.wholes),
            *(f"{_double(f'{name}_number')} AS {name}" for name in fields.doubles),
            *(f"{name}_number IS NOT NULL AS {name}_given" for name in numbers),
        )
    )


def _parsed(fields: Fields) -> Column:
    """Parse a line as the first element of an array whose last element is the line's own hash.

    So text after the object, a second object or a missing brace cannot pass unseen: the reader stops at the end of what it was asked for.
    """
    schema = ArrayType(StructType([StructField(key, StringType()) for key in (*fields.keys, NESTED, UNKNOWN, _SEAL)]))
    sealed = f"""concat('[', coalesce(record, line), ',{{"{_SEAL}":"', {_seal()}, '"}}]')"""
    begins = "record IS NOT NULL OR startswith(line, '{') OR line RLIKE r'^[ \\t]*\\{'"
    return F.from_json(F.expr(f"CASE WHEN {begins} THEN {sealed} END"), schema, _JSON_OPTIONS)


def _seal() -> str:
    return "CAST(xxhash64(line) AS string)"


def _as_written(key: str) -> str:
    """Give a field's text as the file has it.

    Spark respells fractions, exponents (1.50 becomes 1.5) and -0, and quotes NaN and infinities. Where a value can be one of those, the
    last token of that key is read again from the line, and taken if it has the same value.
    """
    value, token = f"seen.{key}", rf"""regexp_extract(line, r'(?s).*"{key}"\s*:\s*{_BARE}', 1)"""
    respelled = rf"""{value} < 'A' AND record IS NULL AND {value} RLIKE r'^(-?[0-9]+\.[0-9]+(E-?[0-9]+)?|0|"-?Infinity"|"NaN")\z'"""
    same = f"try_cast({token} AS double) <=> try_cast(btrim({value}, '\"') AS double)"
    # Nested, because Spark evaluates what stands twice on the right of an AND for every row.
    return f"CASE WHEN {respelled} THEN CASE WHEN {same} THEN {token} ELSE {value} END ELSE {value} END"


def _unknown_keys(fields: Fields) -> str:
    known = ", ".join(f"'{key}'" for key in sorted(fields.known))
    return (
        f"CASE WHEN record IS NOT NULL THEN json_object_keys(seen.{UNKNOWN}) ELSE array_except(json_object_keys(line), array({known})) END"
    )


def _number(value: str) -> str:
    """Give a number field's text; null where absent, blank, NaN or infinite (which Spark puts in quotes)."""
    text = f"nullif(trim({value}), '')"
    return f"CASE WHEN btrim({text}, '\"') NOT IN {_NOT_A_NUMBER} THEN {text} END"


def _double(number: str) -> str:
    """Give a number's text as the nearest double, infinite beyond its range; null where it is no number."""
    return f"CASE WHEN {number} RLIKE {_NUMBER} THEN try_cast({number} AS double) END"


def _whole(number: str) -> str:
    """Give a number's text as a bigint, by its decimal value; null where it is no whole number or too large."""
    decimal = f"try_cast({number} AS decimal(38, 18))"
    can_be_whole = f"{number} RLIKE {_NUMBER} AND NOT {number} RLIKE {_NOT_WHOLE}"
    # A zero may have an exponent that no decimal has.
    by_value = (
        f"CASE WHEN {can_be_whole} THEN CASE WHEN try_cast({number} AS double) = 0 THEN 0L "
        f"WHEN {decimal} = floor({decimal}) THEN try_cast(floor({decimal}) AS bigint) END END"
    )
    return f"CASE WHEN {number} RLIKE r'^[0-9]{{1,18}}\\z' THEN CAST({number} AS bigint) ELSE {by_value} END"


def reasons_that_apply(conditions: dict[Reason, str]) -> Column:
    """Give the names of all reasons whose SQL condition holds.

    A line that packing refused, or that is not one object, has that reason alone (columns refused and is_object).
    """
    found = ", ".join(f"CASE WHEN {condition} THEN '{reason.value}' END" for reason, condition in conditions.items())
    return F.expr(
        f"CASE WHEN refused IS NOT NULL THEN array(refused) WHEN is_object THEN array_compact(array({found})) "
        f"ELSE array('{Reason.NOT_ONE_OBJECT.value}') END"
    )
