-- Records how far a table has come and how many rows it has.
-- Parameters: table_name, delta_table_id, delta_version, delta_written_at, batch_id, row_count. Called by spark_jobs/warehouse/publish.py.
INSERT INTO ops.published AS live (table_name, delta_table_id, delta_version, delta_written_at, batch_id, row_count)
VALUES (%(table_name)s, %(delta_table_id)s, %(delta_version)s, %(delta_written_at)s, %(batch_id)s, %(row_count)s)
ON CONFLICT (table_name) DO UPDATE SET
    delta_table_id = excluded.delta_table_id,
    delta_version = excluded.delta_version,
    delta_written_at = excluded.delta_written_at,
    batch_id = excluded.batch_id,
    row_count = excluded.row_count
