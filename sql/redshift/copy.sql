-- Copies the files of a manifest into a table of this session.
-- Filled in for each table by spark_jobs/warehouse/redshift.py. Spark writes the partition column, the last, into its files and
-- others do not, hence FILLRECORD.
COPY {session_table} FROM {manifest} IAM_ROLE {role} FORMAT AS PARQUET FILLRECORD MANIFEST;
