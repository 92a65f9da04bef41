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

# Spark on Kubernetes asks for an executor by this one word and tells the rest by variables.
if [[ ${1:-} == executor ]]; then
  export SPARK_LOCAL_IP=$SPARK_EXECUTOR_POD_IP
  . "$(dirname -- "${BASH_SOURCE[0]}")/../bin/env.sh"
  set --
  while read -r name; do
    set -- "$@" "${!name}"
  done < <(compgen -e SPARK_JAVA_OPT_ | sort --field-separator _ --key 4 --numeric-sort)
  exec "$JAVA_HOME/bin/java" "$@" -Xms"$SPARK_EXECUTOR_MEMORY" -Xmx"$SPARK_EXECUTOR_MEMORY" -cp "$SPARK_HOME/jars/*" \
    org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
    --driver-url "$SPARK_DRIVER_URL" --executor-id "$SPARK_EXECUTOR_ID" --cores "$SPARK_EXECUTOR_CORES" \
    --app-id "$SPARK_APPLICATION_ID" --hostname "$SPARK_EXECUTOR_POD_IP" \
    --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" --podName "$SPARK_EXECUTOR_POD_NAME"
fi

exec "$@"
