#!/usr/bin/env bash
# Make a role and its databases for each service: run once by PostgreSQL's image, on an empty volume.
set -euo pipefail

# Passwords go in as psql variables, so that psql quotes them. `:'x'` is expanded in a script, not in -c.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set mlflow="$MLFLOW_DB_PASSWORD" --set prefect="$PREFECT_DB_PASSWORD" <<'SQL'
CREATE ROLE mlflow LOGIN PASSWORD :'mlflow';
CREATE ROLE prefect LOGIN PASSWORD :'prefect';
CREATE DATABASE mlflow OWNER mlflow;
CREATE DATABASE mlflow_auth OWNER mlflow;
CREATE DATABASE prefect OWNER prefect;
-- PostgreSQL lets every role connect to every database unless told otherwise.
REVOKE CONNECT ON DATABASE mlflow, mlflow_auth, prefect FROM PUBLIC;
SQL
