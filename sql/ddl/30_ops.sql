-- How data came into the warehouse, as spark_jobs/warehouse/contracts.py declares it, and spark_jobs/contracts.py the files (a test
-- proves that they agree).
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
CREATE TABLE IF NOT EXISTS ops.files (
    path text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    cause text,
    size bigint NOT NULL,
    modified_at timestamp with time zone NOT NULL,
    lines bigint NOT NULL,
    accepted bigint NOT NULL,
    repeated bigint NOT NULL,
    rejected bigint NOT NULL,
    batch_id text NOT NULL,
    ingested_at timestamp with time zone NOT NULL,
    unknown_keys text[],
    CONSTRAINT files_pkey PRIMARY KEY (path)
);
-- Warehouses of schema versions 1 and 2 know nothing of it.
ALTER TABLE ops.files ADD COLUMN IF NOT EXISTS unknown_keys text[];

-- Lets the gate name unreadable files without reading the rows of all others.
CREATE INDEX IF NOT EXISTS files_unreadable ON ops.files (path) WHERE status = 'unreadable';

CREATE TABLE IF NOT EXISTS ops.batches (
    batch_id text NOT NULL,
    status text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    staged_at timestamp with time zone NOT NULL,
    checked_at timestamp with time zone,
    published_at timestamp with time zone,
    base jsonb NOT NULL,
    target jsonb NOT NULL,
    expected jsonb NOT NULL,
    changes jsonb,
    CONSTRAINT batches_pkey PRIMARY KEY (batch_id),
    CONSTRAINT batches_status_known CHECK (status IN ('staged', 'checked', 'rejected', 'published'))
);

-- At most one row: the index is over a constant.
CREATE TABLE IF NOT EXISTS ops.staged (
    batch_id text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    CONSTRAINT staged_pkey PRIMARY KEY (batch_id)
);
CREATE UNIQUE INDEX IF NOT EXISTS staged_one_row ON ops.staged ((true));

CREATE TABLE IF NOT EXISTS ops.published (
    table_name text NOT NULL,
    delta_table_id text NOT NULL,
    delta_version bigint NOT NULL,
    batch_id text NOT NULL,
    row_count bigint NOT NULL,
    delta_written_at bigint NOT NULL DEFAULT 0,
    CONSTRAINT published_pkey PRIMARY KEY (table_name)
);
-- Warehouses of schema version 1 know nothing of it.
ALTER TABLE ops.published ADD COLUMN IF NOT EXISTS delta_written_at bigint NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS ops.check_results (
    batch_id text NOT NULL,
    check_name text NOT NULL,
    severity text NOT NULL,
    passed boolean NOT NULL,
    violations bigint NOT NULL,
    detail text,
    checked_at timestamp with time zone NOT NULL,
    CONSTRAINT check_results_pkey PRIMARY KEY (batch_id, check_name),
    CONSTRAINT check_results_severity_known CHECK (severity IN ('fail', 'warn'))
);

CREATE TABLE IF NOT EXISTS ops.acceptances (
    batch_id text NOT NULL,
    check_name text NOT NULL,
    reason text NOT NULL,
    accepted_by text NOT NULL,
    accepted_at timestamp with time zone NOT NULL,
    CONSTRAINT acceptances_pkey PRIMARY KEY (batch_id, check_name)
);

-- At most one row, as above.
CREATE TABLE IF NOT EXISTS ops.schema_version (
    version integer NOT NULL,
    CONSTRAINT schema_version_pkey PRIMARY KEY (version)
);
CREATE UNIQUE INDEX IF NOT EXISTS schema_version_one_row ON ops.schema_version ((true));
