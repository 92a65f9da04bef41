#!/usr/bin/env bash
# Starts every container of the image: docker/entrypoint.sh COMMAND [ARGUMENT…]
#
# Where AIRFLOW_ADMIN_PASSWORD is set, as in Airflow's API server, it goes into the file that Airflow's simple auth manager reads: a JSON
# object of user and password. The command itself does not see the variable.
set -euo pipefail

if [[ -n ${AIRFLOW_ADMIN_PASSWORD:-} ]]; then
  file=$AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE
  # Removed first: a file that is there already would keep its mode.
  rm -f -- "$file"
  (
    umask 077
    ADMIN=${AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS%%:*} python3 -c \
      'import json, os; print(json.dumps({os.environ["ADMIN"]: os.environ["AIRFLOW_ADMIN_PASSWORD"]}))' >"$file"
  )
  unset AIRFLOW_ADMIN_PASSWORD
fi

exec "$@"
