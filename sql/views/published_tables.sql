-- How far each table of dwh has come, and when; what ops.published says, for those who read dwh alone.
-- Grain: one table of the star that was ever loaded.
-- Key: table_name.
-- Caveat: table, version and time name the state of the lake's table that the rows equal; while these three stay, so do the rows.
-- Column table_name text: the table
-- Column batch_id text: load that brought it there
-- Column published_at timestamp with time zone: when that load went live
-- Column row_count bigint: rows that are live
-- Column delta_table_id text: id of the lake's table
-- Column delta_version bigint: version of that table
-- Column delta_written_at bigint: when that version was committed, milliseconds since 1970
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
CREATE OR REPLACE VIEW dwh.published_tables AS
SELECT
    published.table_name,
    published.batch_id,
    batches.published_at,
    published.row_count,
    published.delta_table_id,
    published.delta_version,
    published.delta_written_at
FROM ops.published AS published
LEFT JOIN ops.batches AS batches ON published.batch_id = batches.batch_id
WHERE published.table_name <> 'files';
