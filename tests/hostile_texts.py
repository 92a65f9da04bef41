"""Texts that want to be more than text: to a database, a page, a terminal, a shell, a template."""

from __future__ import annotations

SQL = [
    "'; DROP TABLE dwh.songplays; --",
    "x'); DELETE FROM ops.files; --",
    '"; DROP SCHEMA dwh CASCADE; --',
    "$$; SELECT pg_sleep(60); $$",
    "%s %(x)s {table} {0}",
    "\\'; SELECT 1; --",
    "${spark.master} ${env:PATH} $(id) `id`",
    "NULL",
    "\\N",
]
PAGE = [
    "<script>window.ran = 1</script>",
    '<img src="x" onerror="window.ran = 1">',
    '"><svg onload="window.ran = 1">',
    "</table></td></main><script>window.ran = 1</script>",
    "<a href='javascript:window.ran = 1'>click</a>",
    "{{ 7 * 7 }}{% raw %}",
    "<!-- x",
    "</style><style>body { display: none }</style>",
]
TERMINAL = [
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x9b31m",
    "a\rb",
    "a\x08\x08b",
    "a\nError: all is lost",
    "\u202eabc",
    "a\x00b",
    "[/] [bold]",
    "\\[/]",
]
ALL = SQL + PAGE + TERMINAL
