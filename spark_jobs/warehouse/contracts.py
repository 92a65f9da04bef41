"""The tables that PostgreSQL alone has, declared like all others (`spark_jobs/contracts.py`): kept for views, the model's, the books.

Imports nothing of Spark.
"""

from __future__ import annotations

from spark_jobs.contracts import Column, Table, Type, required

KEPT_PLAY_RUNS = Table(
    name="kept_play_runs",
    about="What the view play_runs answers from over many plays; empty while it computes them.",
    grain="one run of plays of one user in the same UTC hour, session and level",
    key=("started_at", "user_id", "session_id", "item_in_session"),
    columns=(
        required("started_at", Type.TIMESTAMP, "when the first play began"),
        required("user_id", Type.BIGINT, "who listened"),
        required("session_id", Type.BIGINT, "listening session"),
        required("item_in_session", Type.INT, "position of the first play in the session"),
        required("level", Type.TEXT, "level of the plays"),
        required("ended_at", Type.TIMESTAMP, "the latest that one of the plays ended if heard out"),
        required("plays", Type.BIGINT, "plays, at least 1"),
        required("milliseconds", Type.BIGINT, "lengths of the plays, each to the millisecond; more than a day counts a day"),
    ),
)

KEPT_SONG_MONTHS = Table(
    name="kept_song_months",
    about="What the view song_months answers from over many plays; empty while it computes them.",
    grain="plays in one UTC month at one level with the same title, artist name and length, matched to the same song or to none",
    key=("month", "level", "digest"),
    columns=(
        required("month", Type.DATE, "first day of the UTC month"),
        required("level", Type.TEXT, "level of the plays"),
        required("digest", Type.TEXT, "SHA-256 of the five columns that follow, in their place in the key"),
        required("song_title", Type.TEXT, "title as played"),
        required("artist_name", Type.TEXT, "artist as played"),
        Column("length", Type.DOUBLE, "seconds"),
        Column("song_id", Type.TEXT, "the song, where the catalogue has it"),
        Column("artist_id", Type.TEXT, "the artist of that song"),
        required("plays", Type.BIGINT, "plays, at least 1"),
    ),
)

MARTS = (KEPT_PLAY_RUNS, KEPT_SONG_MONTHS)
"""Tables of the schema `dwh` that publish derives from songplays; PostgreSQL only."""

BATCHES = Table(
    name="batches",
    about="Every load that was staged completely, and what became of it.",
    grain="one load of the warehouse",
    key=("batch_id",),
    columns=(
        required("batch_id", Type.TEXT, "the load"),
        required("status", Type.TEXT, "`staged`, `checked`, `rejected` or `published`"),
        required("started_at", Type.TIMESTAMP, "when staging was emptied for it"),
        required("staged_at", Type.TIMESTAMP, "when all its rows stood in staging"),
        Column("checked_at", Type.TIMESTAMP, "when the gate last judged it"),
        Column("published_at", Type.TIMESTAMP, "when it went live"),
        required("base", Type.JSON, "what ops.published said when it was staged: {table: {table_id, version}}"),
        required("target", Type.JSON, "what ops.published says once it is live: {table: {table_id, version}}"),
        required("expected", Type.JSON, "rows that Spark wrote to staging: {table: count}"),
        Column("changes", Type.JSON, "what publish did: {table: {before, after, inserted, updated, deleted}}"),
    ),
)

STAGED_BATCH = Table(
    name="staged",
    about="The load whose rows stand in staging; no row when there is none, never two.",
    grain="the warehouse",
    key=("batch_id",),
    columns=(
        required("batch_id", Type.TEXT, "the load; ops.batches knows it once it is complete"),
        required("started_at", Type.TIMESTAMP, "when staging was emptied for it"),
    ),
)

PUBLISHED = Table(
    name="published",
    about="How far each table has come: the state of the lake that the live rows equal.",
    grain="one live table",
    key=("table_name",),
    columns=(
        required("table_name", Type.TEXT, "the table"),
        required("delta_table_id", Type.TEXT, "id of the Delta table it was loaded from"),
        required("delta_version", Type.BIGINT, "version of that table"),
        required("batch_id", Type.TEXT, "load that brought it there"),
        required("row_count", Type.BIGINT, "rows that are live, kept by publish"),
        required("delta_written_at", Type.BIGINT, "when that version was committed, milliseconds since 1970"),
    ),
)

CHECK_RESULTS = Table(
    name="check_results",
    about="What the gate found, the latest answer of each check about each load.",
    grain="one check of one load",
    key=("batch_id", "check_name"),
    columns=(
        required("batch_id", Type.TEXT, "the load"),
        required("check_name", Type.TEXT, "the check: its file in sql/checks without .sql"),
        required("severity", Type.TEXT, "`fail` keeps the load out, `warn` tells"),
        required("passed", Type.BOOLEAN, "true where nothing was found"),
        required("violations", Type.BIGINT, "how many things were found"),
        Column("detail", Type.TEXT, "the first of them, without personal data"),
        required("checked_at", Type.TIMESTAMP, "when it was asked"),
    ),
)

ACCEPTANCES = Table(
    name="acceptances",
    about="Failed checks that a person overruled.",
    grain="one overruled check of one load",
    key=("batch_id", "check_name"),
    columns=(
        required("batch_id", Type.TEXT, "the load"),
        required("check_name", Type.TEXT, "the check"),
        required("reason", Type.TEXT, "why, in that person's words"),
        required("accepted_by", Type.TEXT, "who"),
        required("accepted_at", Type.TIMESTAMP, "when"),
    ),
)

SCHEMA_VERSION = Table(
    name="schema_version",
    about="The version of this schema; one row.",
    grain="the warehouse",
    key=("version",),
    columns=(required("version", Type.INT, "counts up with every change of sql/ddl, sql/views"),),
)

OPS = (BATCHES, STAGED_BATCH, PUBLISHED, CHECK_RESULTS, ACCEPTANCES, SCHEMA_VERSION)
"""Tables of the schema `ops` besides FILES, which lake and warehouse share; PostgreSQL only."""

RECOMMENDATIONS = Table(
    name="recommendations",
    about="Ten artists for everyone in dwh.users that they have not played yet; fewer where there are not so many.",
    grain="one artist recommended to one user",
    key=("user_id", "rank"),
    columns=(
        required("user_id", Type.BIGINT, "to whom"),
        required("rank", Type.INT, "1 is recommended most"),
        required("artist_name", Type.TEXT, "artist, as most plays spell the name"),
        required(
            "score",
            Type.DOUBLE,
            "the model's preference, about 0 to 1; of popularity the artist's listeners. Compare within a model_version",
        ),
        required(
            "model_version", Type.TEXT, "what made the row: `als-…` the model, `popularity-…` the same list for all; see ops.model_runs"
        ),
    ),
)

MODEL_RUNS = Table(
    name="model_runs",
    about="Every run of the model: how it and simpler ways did on plays that it had not seen, and which was published.",
    grain="one state of the lake and one set of parameters",
    key=("model_version",),
    columns=(
        required("model_version", Type.TEXT, "`{chosen}-{delta_version}-{digest}`: the same lake and parameters give the same"),
        required("chosen", Type.TEXT, "`als` where it beat popularity, else `popularity`"),
        required("reason", Type.TEXT, "why, in a sentence"),
        required("delta_table_id", Type.TEXT, "id of the lake's songplays that it learnt from"),
        required("delta_version", Type.BIGINT, "version of that table"),
        required("params", Type.JSON, "seed, windows of time, and the parameters that did best on the validation window"),
        required(
            "metrics", Type.JSON, "on the test window, {new|all: {method: {recall_at_10, ndcg_at_10, coverage}}}; {} with too little data"
        ),
        required("judged_users", Type.BIGINT, "users whose plays in the test window the metrics are means over"),
        required("row_count", Type.BIGINT, "recommendations that went live"),
        required("seconds", Type.DOUBLE, "how long the run took"),
        required("started_at", Type.TIMESTAMP, "when it began"),
        required("published_at", Type.TIMESTAMP, "when its recommendations went live"),
    ),
)
