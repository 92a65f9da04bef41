-- What the two group roles may do in this database: readers read dwh and nothing else, writers run the jobs.
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time. A role that does
-- not exist is passed over. Views that the owner of dwh makes there later are readable too.
DO $$
DECLARE
    owner_name name := (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'dwh');
BEGIN
    IF to_regrole('songlake_reader') IS NOT NULL THEN
        EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO songlake_reader', current_database());
        GRANT USAGE ON SCHEMA dwh TO songlake_reader;
        GRANT SELECT ON ALL TABLES IN SCHEMA dwh TO songlake_reader;
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA dwh GRANT SELECT ON TABLES TO songlake_reader', owner_name);
    END IF;
    IF to_regrole('songlake_writer') IS NOT NULL THEN
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO songlake_writer', current_database());
        GRANT USAGE ON SCHEMA dwh, staging, ops TO songlake_writer;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA dwh, ops TO songlake_writer;
        GRANT SELECT, INSERT, TRUNCATE ON ALL TABLES IN SCHEMA staging TO songlake_writer;
        -- A writer reads the version and never sets it.
        REVOKE INSERT, UPDATE, DELETE ON ops.schema_version FROM songlake_writer;
    END IF;
END
$$;
