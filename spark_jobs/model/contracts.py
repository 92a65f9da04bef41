"""The model's two tables in PostgreSQL, declared like all others (`spark_jobs/contracts.py`). Imports nothing of Spark."""

from __future__ import annotations

from spark_jobs.contracts import Column, Table, Type


def _required(name: str, type_: Type, about: str) -> Column:
    return Column(name, type_, about, nullable=False)


RECOMMENDATIONS = Table(
    name="recommendations",
    about="Ten artists for everyone in dwh.users that they have not played yet; fewer where there are not so many.",
    grain="one artist recommended to one user",
    key=("user_id", "rank"),
    columns=(
        _required("user_id", Type.BIGINT, "to whom"),
        _required("rank", Type.INT, "1 is recommended most"),
        _required("artist_name", Type.TEXT, "artist, as most plays spell the name"),
        _required(
            "score",
            Type.DOUBLE,
            "the model's preference, about 0 to 1; of popularity the artist's listeners. Compare within a model_version",
        ),
        _required(
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
        _required("model_version", Type.TEXT, "`{chosen}-{delta_version}-{digest}`: the same lake and parameters give the same"),
        _required("chosen", Type.TEXT, "`als` where it beat popularity, else `popularity`"),
        _required("reason", Type.TEXT, "why, in a sentence"),
        _required("delta_table_id", Type.TEXT, "id of the lake's songplays that it learnt from"),
        _required("delta_version", Type.BIGINT, "version of that table"),
        _required("params", Type.JSON, "seed, windows of time, and the parameters that did best on the validation window"),
        _required(
            "metrics", Type.JSON, "on the test window, {new|all: {method: {recall_at_10, ndcg_at_10, coverage}}}; {} with too little data"
        ),
        _required("judged_users", Type.BIGINT, "users whose plays in the test window the metrics are means over"),
        _required("row_count", Type.BIGINT, "recommendations that went live"),
        _required("seconds", Type.DOUBLE, "how long the run took"),
        _required("started_at", Type.TIMESTAMP, "when it began"),
        _required("published_at", Type.TIMESTAMP, "when its recommendations went live"),
    ),
)
