-- A row that analysts read, and the transaction that wrote it.
-- Parameters: key_value; the table is filled in. Called by spark_jobs/warehouse/provenance.py.
SELECT xmin::text AS written_by, {columns}
FROM {live}
WHERE {key} = %(key_value)s
