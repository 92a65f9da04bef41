-- What the model recommends, and how its runs did, as spark_jobs/warehouse/contracts.py declares it (a test proves that they agree).
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
CREATE TABLE IF NOT EXISTS dwh.recommendations (
    user_id bigint NOT NULL,
    rank integer NOT NULL,
    artist_name text NOT NULL,
    score double precision NOT NULL,
    model_version text NOT NULL,
    CONSTRAINT recommendations_pkey PRIMARY KEY (user_id, rank)
);

CREATE TABLE IF NOT EXISTS ops.model_runs (
    model_version text NOT NULL,
    chosen text NOT NULL,
    reason text NOT NULL,
    delta_table_id text NOT NULL,
    delta_version bigint NOT NULL,
    params jsonb NOT NULL,
    metrics jsonb NOT NULL,
    judged_users bigint NOT NULL,
    row_count bigint NOT NULL,
    seconds double precision NOT NULL,
    started_at timestamp with time zone NOT NULL,
    published_at timestamp with time zone NOT NULL,
    CONSTRAINT model_runs_pkey PRIMARY KEY (model_version),
    CONSTRAINT model_runs_chosen_known CHECK (chosen IN ('als', 'popularity'))
);

-- As JDBC wrote it, for as long as the run holds the writer's lock; made like the others of staging (40_staging.sql), but no part of
-- a batch.
CREATE UNLOGGED TABLE IF NOT EXISTS staging.recommendations (
    user_id bigint,
    rank integer,
    artist_name text,
    score double precision,
    model_version text
) WITH (autovacuum_enabled = false);
