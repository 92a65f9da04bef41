-- Makes the databases of docker-compose.yml and their owners: airflow for Airflow's own records, songlake for the warehouse.
-- Run once by the postgres image, as superuser, when its volume is empty. Passwords come from the container's environment.
\getenv airflow_password AIRFLOW_DB_PASSWORD
\getenv songlake_password SONGLAKE_DB_PASSWORD

CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE DATABASE airflow OWNER airflow;
REVOKE CONNECT ON DATABASE airflow FROM PUBLIC;

-- CREATEROLE lets the first run make songlake_writer and songlake_reader.
CREATE ROLE songlake LOGIN CREATEROLE PASSWORD :'songlake_password';
CREATE DATABASE songlake OWNER songlake;
