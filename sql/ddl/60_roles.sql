-- Group roles for the whole cluster: songlake_writer for the jobs, songlake_reader for analysts. Grant them to logins.
-- Called by spark_jobs/warehouse/schema.py, apart from the rest, when the user may create roles; else an administrator runs
-- this file and 70_grants.sql with psql. May run again at any time, also from several databases at once.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['songlake_writer', 'songlake_reader'] LOOP
        IF to_regrole(role_name) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
            EXCEPTION
                -- Another database's creator was a moment quicker.
                WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
    END LOOP;
END
$$;
