r"""Turn the fields of JSON lines into clean, typed values: built-in Spark functions only, no Python in the data path.

Nearly every line is simple: plain ASCII without `&` and `\u` escapes, its numbers written as digits, none of its texts able to hide a
number or an object. For a simple line trimming and a cast do all that the rules ask, so that is decided once a line. For the others the
strict rules run over an array of the line's fields, so that each rule stands in the plan once and not once a field.
The rules: docs/adr/0006-input-rules-in-detail.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, StringType, StructField, StructType

from spark_jobs.landing.reasons import Reason

WHITE = r"' \t\n\u000b\u000c\r'"
TRIMMED = r"' \t\n\u000b\u000c\r\u00a0'"
_NUMBER = r"r'^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$'"
_ENTITIES = (("&lt;", "'<'"), ("&gt;", "'>'"), ("&quot;", "'\"'"), ("&apos;", r"'\''"), ("&#39;", r"'\''"), ("&#039;", r"'\''"), ("&amp;", "'&'"))
_SEAL = "\u241e"

# Spark's reader is lenient by default; these make it as strict as RFC 8259, and lift its limits on the size of values.
_JSON_OPTIONS = {"allowSingleQuotes": "false", "maxStringLen": "2000000000", "maxNumLen": "2000000000"}


@dataclass(frozen=True)
class Fields:
    """The fields that lines of a kind have: column name to JSON key."""

    texts: dict[str, str]
    wholes: dict[str, str]
    doubles: dict[str, str]

    @property
    def keys(self) -> tuple[str, ...]:
        """All JSON keys."""
        return (*self.texts.values(), *self.wholes.values(), *self.doubles.values())


def read_values(lines: DataFrame, fields: Fields) -> DataFrame:
    """Parse lines (columns line and record: the JSON where it is not the line itself) and clean their fields.

    Returns:
        The columns of `lines`, and: is_object, whether it is exactly one JSON object; nested, whether a text field holds an object or an
        array; each text field, null where blank; each whole and double field as bigint and double, null where absent or no such number;
        `<name>_given` for each number field, whether it holds anything but NaN or an infinity.
    """
    parsed = lines.withColumn("json", F.coalesce("record", "line")).withColumn("parsed", _parsed(fields))
    return (
        parsed.withColumn("is_object", F.expr(f"coalesce(size(parsed) = 2 AND parsed[1].`{_SEAL}` = {_seal('json')} AND parsed[0] IS NOT NULL, false)"))
        .withColumn("strict", F.expr(f"CASE WHEN is_object AND NOT ({_is_simple(fields)}) THEN {_strict_texts(fields)} END"))
        .withColumn("strict_numbers", F.expr(f"CASE WHEN strict IS NOT NULL THEN {_strict_numbers(fields)} END"))
        .withColumn("strict_wholes", F.expr(f"CASE WHEN strict IS NOT NULL THEN {_strict_wholes(fields)} END"))
        .selectExpr(*lines.columns, "is_object", f"coalesce(strict IS NOT NULL AND {_has_nested_text(fields)}, false) AS nested", *_columns(fields))
    )


def _columns(fields: Fields) -> list[str]:
    """Give each field from the strict values where there are any, else straight from the parsed line."""
    columns = [
        f"CASE WHEN strict IS NULL THEN nullif(btrim(parsed[0].{key}, {WHITE}), '') ELSE strict[{place}] END AS {name}"
        for place, (name, key) in enumerate(fields.texts.items())
    ]
    for place, (name, key) in enumerate({**fields.wholes, **fields.doubles}.items()):
        type_, strict = ("bigint", f"strict_wholes[{place}]") if name in fields.wholes else ("double", _double(f"strict_numbers[{place}]"))
        columns.append(f"CASE WHEN strict IS NULL THEN try_cast(parsed[0].{key} AS {type_}) ELSE {strict} END AS {name}")
        columns.append(f"CASE WHEN strict IS NULL THEN coalesce(parsed[0].{key}, '') != '' ELSE strict_numbers[{place}] IS NOT NULL END AS {name}_given")
    return columns


def _parsed(fields: Fields) -> Column:
    """Parse a line as the first element of an array whose last element is the line's own hash.

    So text after the object, a second object or a missing brace cannot pass unseen: the reader stops at the end of what it was asked for.
    """
    schema = ArrayType(StructType([StructField(key, StringType()) for key in (*fields.keys, _SEAL)]))
    text = f"btrim(if(startswith(json, '\ufeff'), substr(json, 2), json), {WHITE})"
    sealed = f"""concat('[', {_without_lone_surrogates(text)}, ',{{"{_SEAL}":"', {_seal("json")}, '"}}]')"""
    return F.from_json(F.expr(f"CASE WHEN startswith({text}, '{{') THEN {sealed} END"), schema, _JSON_OPTIONS)


def _seal(json: str) -> str:
    return f"CAST(xxhash64({json}) AS string)"


def _without_lone_surrogates(json: str) -> str:
    r"""Replace escapes of lone surrogates by that of U+FFFD; Java would turn them into question marks.

    Escaped backslashes are respelled first, so that in `\\ud800` the last five characters are not taken for an escape.
    """
    high, low = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    spelled = rf"replace({json}, r'\\', r'\u005c')"
    mended = rf"regexp_replace(regexp_replace({spelled}, r'{high}(?!{low})', r'\\ufffd'), r'(?<!{high}){low}', r'\\ufffd')"
    return rf"CASE WHEN contains({json}, r'\ud') OR contains({json}, r'\uD') THEN {mended} ELSE {json} END"


def _is_simple(fields: Fields) -> str:
    """Whether trimming and a cast do all that the rules ask of this line."""
    digits = [f"coalesce(parsed[0].{key} RLIKE '^[0-9]{{0,18}}$', true)" for key in fields.wholes.values()]
    decimals = [f"coalesce(parsed[0].{key} RLIKE r'^([0-9]+(\\.[0-9]+)?(E[0-9]+)?)?$', true)" for key in fields.doubles.values()]
    # Spark respells fractions and quotes NaN; a text that begins with a letter can be neither, nor an object or array.
    texts = [
        f"coalesce(parsed[0].{key} BETWEEN 'A' AND 'Z~' OR parsed[0].{key} BETWEEN 'a' AND 'z~' OR parsed[0].{key} LIKE '\"_____%', true)"
        for key in fields.texts.values()
    ]
    plain = r"octet_length(json) = char_length(json) AND NOT contains(json, '&') AND NOT contains(json, r'\u')"
    return " AND ".join([plain, *digits, *decimals, *texts])


def _strict_texts(fields: Fields) -> str:
    """Give all fields as clean text: as written, repaired, decoded, cleaned, trimmed; blank is null."""
    given = ", ".join(f"named_struct('key', '{key}', 'value', parsed[0].{key})" for key in fields.keys)
    text = f"transform(array({given}), field -> {_as_written('field.key', 'field.value')})"
    text = f"transform({text}, value -> {_repaired('value')})"
    decoded = "value"
    for entity, character in _ENTITIES:
        decoded = f"replace({decoded}, '{entity}', {character})"
    return rf"transform({text}, value -> nullif(btrim(replace({decoded}, '\u0000', ''), {TRIMMED}), ''))"


def _as_written(key: str, value: str) -> str:
    """Give a field's text as the file has it.

    Spark respells fractions and exponents (1.50 becomes 1.5) and quotes NaN and infinities. Where a value can be one of those, the token
    is read again from the line: the last one of that key that has the same value.
    """
    tokens = rf"""regexp_extract_all(json, concat('"', {key}, r'"\s*:\s*(-?(?:[0-9][0-9.eE+-]*|Infinity|NaN))'), 1)"""
    bare = f"btrim({value}, '\"')"
    # An infinity may stand for a number too large for a double.
    same = f"filter({tokens}, token -> token = {bare} OR {_double('token')} = CAST({bare} AS double))"
    respelled = rf"""{value} RLIKE r'^(-?[0-9]+\.[0-9]+(E-?[0-9]+)?|"-?Infinity"|"NaN")$'"""
    return f"CASE WHEN {respelled} THEN coalesce(try_element_at({same}, -1), {value}) ELSE {value} END"


def _repaired(value: str) -> str:
    """Undo UTF-8 that was decoded as Latin-1, as often as it was; only where that loses nothing.

    Each round at least halves a run of non-ASCII characters, so the binary logarithm of the length bounds the rounds.
    """
    # encode() raises on characters beyond Latin-1, so they are asked for first.
    bytes_ = r"CAST(CASE WHEN text RLIKE r'^[\x{0}-\x{ff}]*$' THEN encode(text, 'ISO-8859-1') END AS string)"
    undone = f"CASE WHEN is_valid_utf8({bytes_}) THEN {bytes_} ELSE text END"
    rounds = f"sequence(1, 1 + CAST(log2(char_length({value}) + 1) AS int))"
    return f"CASE WHEN octet_length({value}) > char_length({value}) THEN aggregate({rounds}, {value}, (text, round) -> {undone}) ELSE {value} END"


def _has_nested_text(fields: Fields) -> str:
    given = ", ".join(f"named_struct('key', '{key}', 'value', parsed[0].{key})" for key in fields.texts.values())
    brackets = "(field.value LIKE '{%' OR field.value LIKE '[%')"
    return rf"""exists(array({given}), field -> coalesce({brackets} AND json RLIKE concat('"', field.key, r'"\s*:\s*[\[{{]'), false))"""


def _strict_numbers(fields: Fields) -> str:
    """Give the number fields' texts, wholes before doubles; NaN and infinities are null."""
    first, count = len(fields.texts) + 1, len(fields.wholes) + len(fields.doubles)
    return f"transform(slice(strict, {first}, {count}), text -> CASE WHEN text NOT IN ('NaN', 'Infinity', '-Infinity', '+Infinity') THEN text END)"


def _double(number: str) -> str:
    """Give a number's text as the nearest double, infinite beyond its range; null where it is no number."""
    return f"CASE WHEN {number} RLIKE {_NUMBER} THEN try_cast({number} AS double) END"


def _strict_wholes(fields: Fields) -> str:
    """Give the whole fields as bigint, decided by shifting the decimal point over the digits: no arithmetic, so nothing is rounded."""
    part = r"regexp_extract(number, r'^([+-]?)([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?$', {})"
    parts = (
        f"named_struct('is_number', number RLIKE {_NUMBER}, 'sign', {part.format(1)}, 'digits', concat({part.format(2)}, {part.format(3)}), "
        f"'decimals', char_length({part.format(3)}), 'exponent', {part.format(4)})"
    )
    numbers = f"transform(slice(strict_numbers, 1, {len(fields.wholes)}), number -> {parts})"
    significant = "rtrim('0', number.digits)"
    power = "if(number.exponent = '', 0, try_cast(number.exponent AS int))"
    shift = f"try_subtract({power}, number.decimals - char_length(number.digits) + char_length({significant}))"
    shifted = f"named_struct('is_number', number.is_number, 'sign', number.sign, 'head', ltrim('0', {significant}), 'shift', {shift})"
    value = (
        "CASE WHEN number.is_number AND number.head = '' THEN CAST(0 AS bigint) "
        "WHEN number.is_number AND number.shift BETWEEN 0 AND 19 - char_length(number.head) "
        "THEN try_cast(concat(number.sign, number.head, repeat('0', number.shift)) AS bigint) END"
    )
    return f"transform(transform({numbers}, number -> {shifted}), number -> {value})"


def reasons_that_apply(conditions: dict[Reason, Column]) -> Column:
    """Give the names of all reasons whose condition holds; a line that is not one object has that reason alone (column is_object)."""
    found = F.array_compact(F.array(*(F.when(condition, F.lit(reason.value)) for reason, condition in conditions.items())))
    return F.when(F.col("is_object"), found).otherwise(F.array(F.lit(Reason.NOT_ONE_OBJECT.value)))
