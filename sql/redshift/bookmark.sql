-- Records how far a table has come.
-- Filled in for each table by spark_jobs/warehouse/redshift.py.
DELETE FROM ops.published WHERE table_name = {table_name};
INSERT INTO ops.published (table_name, delta_table_id, delta_version, delta_written_at)
VALUES ({table_name}, {delta_table_id}, {delta_version}, {delta_written_at});
