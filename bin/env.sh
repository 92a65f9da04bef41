# What Spark needs to know about this folder and this machine. Sourced by bin/songlake, bin/spark-submit, bin/setup
# and by Python processes that were started without them; the one place where Java is looked for.
#
#   . bin/env.sh
#
# Spark's settings come from conf/spark-defaults.conf, named by --properties-file and not by SPARK_CONF_DIR: Spark puts
# that folder on the JVM's class path, and a JVM refuses its class-data archive when a folder with files is on it
# (session start 9 s instead of 4 s). Besides, Spark cannot source a spark-env.sh whose path has a space in it.

SONGLAKE_ROOT=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd -P)
export SONGLAKE_ROOT

_songlake_is_java_17() {
  [[ -x $1/bin/java ]] || return 1
  if [[ -r $1/release ]]; then
    [[ $(<"$1/release") == *'JAVA_VERSION="17'[.\"]* ]]
  else
    [[ $("$1/bin/java" -version 2>&1) == *'version "17'[.\"]* ]]
  fi
}

# JAVA_HOME, then the usual folders of Debian, Fedora, SDKMAN, Homebrew and macOS, then PATH.
_songlake_find_java() {
  local home
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/*17* "${HOME:-/nonexistent}"/.sdkman/candidates/java/17* \
    /opt/homebrew/opt/openjdk@17/libexec/openjdk.jdk/Contents/Home /Library/Java/JavaVirtualMachines/*17*/Contents/Home; do
    [[ -n $home ]] && _songlake_is_java_17 "$home" && printf '%s' "$home" && return
  done
  if home=$(command -v java) && home=$(readlink -f -- "$home"); then
    home=${home%/bin/java}
    _songlake_is_java_17 "$home" && printf '%s' "$home"
  fi
}

JAVA_HOME=$(_songlake_find_java) || true
if [[ -n $JAVA_HOME ]]; then
  export JAVA_HOME
else
  unset JAVA_HOME
fi
unset -f _songlake_is_java_17 _songlake_find_java

# A SPARK_HOME or SPARK_CONF_DIR of another Spark on this machine must not leak in.
for SPARK_HOME in "$SONGLAKE_ROOT"/.venv/lib/python3.*/site-packages/pyspark; do break; done
export SPARK_HOME
unset SPARK_CONF_DIR
export PYSPARK_PYTHON=$SONGLAKE_ROOT/.venv/bin/python
export PYSPARK_DRIVER_PYTHON=$PYSPARK_PYTHON
export SPARK_LOCAL_IP=${SPARK_LOCAL_IP:-127.0.0.1}
# Settings of a cluster may take the place of this folder's: docs/cluster.md.
export SPARK_PROPERTIES_FILE=${SPARK_PROPERTIES_FILE:-$SONGLAKE_ROOT/conf/spark-defaults.conf}
# Whoever connects to the driver's ports proves a secret: on one machine one that Spark makes for each start, so that no other user can;
# in a standalone cluster that of master and workers, in the variable that Spark itself reads.
SONGLAKE_SPARK_ARGS=()
if [[ $SPARK_LOCAL_IP != 127.0.0.1 ]]; then
  SONGLAKE_SPARK_ARGS+=(--conf "spark.driver.host=$SPARK_LOCAL_IP" --conf "spark.driver.bindAddress=$SPARK_LOCAL_IP")
fi
if [[ -n ${_SPARK_AUTH_SECRET:-} || $SPARK_LOCAL_IP =~ ^(127\.0\.0\.1|localhost|::1)$ ]]; then
  SONGLAKE_SPARK_ARGS+=(--conf spark.authenticate=true)
fi
if [[ -n ${_SPARK_AUTH_SECRET:-} ]]; then
  SONGLAKE_SPARK_ARGS+=(--conf spark.network.crypto.enabled=true)
fi
export PYSPARK_SUBMIT_ARGS="${SONGLAKE_SPARK_ARGS[*]} --properties-file \"$SPARK_PROPERTIES_FILE\" pyspark-shell"

# Landing zone or lake in an object store, named on the command line, in the environment or in the settings, take jars that lie apart:
# among Spark's own, on the class path, they would void the archive of classes for everybody.
SONGLAKE_S3_JARS=
if [[ " $* ${SONGLAKE_LANDING:-} ${SONGLAKE_LAKE:-}" == *s3a://* ]] || grep -qs '^[^#]*s3a://' "$SONGLAKE_ROOT/conf/songlake.yaml"; then
  for jar in "$SONGLAKE_ROOT"/.cache/jars-s3/*.jar; do
    [[ -f $jar ]] && SONGLAKE_S3_JARS+=${SONGLAKE_S3_JARS:+,}$jar
  done
  unset jar
  PYSPARK_SUBMIT_ARGS="${SONGLAKE_S3_JARS:+--jars \"$SONGLAKE_S3_JARS\" }$PYSPARK_SUBMIT_ARGS"
fi

# The launcher is a JVM of its own that lives a quarter of a second and only puts the command together.
export SPARK_LAUNCHER_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
SPARK_SUBMIT_OPTS="-Dlog4j2.configurationFile=\"$SONGLAKE_ROOT/conf/log4j2.properties\" -Xlog:disable -Xlog:all=off"
if [[ -f $SONGLAKE_ROOT/.cache/songlake.jsa ]]; then
  # A JVM that does not match the archive goes on without it.
  SPARK_SUBMIT_OPTS+=" -XX:SharedArchiveFile=\"$SONGLAKE_ROOT/.cache/songlake.jsa\""
fi
export SPARK_SUBMIT_OPTS

# Ends the script that calls it where bin/setup has not come to the end of its packages, or did so for this folder in another place.
songlake_require_packages() {
  if [[ ! -x $PYSPARK_PYTHON || $(cat -- "${SPARK_HOME%/*}/songlake.pth" 2>/dev/null) != "$SONGLAKE_ROOT" ]]; then
    echo "Songlake is not set up in $SONGLAKE_ROOT. Run: make setup" >&2
    exit 2
  fi
}

# Ends it where there is no Spark or no Java to run.
songlake_require_spark() {
  songlake_require_packages
  if [[ -z ${JAVA_HOME:-} ]]; then
    echo "Java 17 was not found. Install it (Debian and Ubuntu: apt install openjdk-17-jre-headless) or point JAVA_HOME at it." >&2
    exit 2
  fi
}
