# How bin/fetch-landing asks: one curl for many files. Sourced by it, and of no use alone.
#
# Addresses and credentials reach curl by its standard input, never by its arguments, which everybody on the machine can read.
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the script that sources this

quote() { # TEXT: as curl's configuration wants it, in REPLY
  REPLY=${1//\\/\\\\}
  REPLY="\"${REPLY//\"/\\\"}\""
}

every_request() { # lines of curl's configuration
  printf '%s\n' silent 'proto = "=http,https"' 'proto-redir = "=http,https"' 'connect-timeout = 15' 'speed-limit = 1' 'speed-time = 60'
  if [[ -z $endpoint ]]; then
    echo location
  elif [[ -n ${AWS_ACCESS_KEY_ID:-} ]]; then
    quote "$AWS_ACCESS_KEY_ID:${AWS_SECRET_ACCESS_KEY:-}"
    printf 'user = %s\naws-sigv4 = "aws:amz:%s:s3"\n' "$REPLY" "$region"
    # The SHA-256 of nothing, which is what these requests send.
    printf 'header = "x-amz-content-sha256: %s"\n' e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    quote "x-amz-security-token: ${AWS_SESSION_TOKEN:-}"
    [[ -z ${AWS_SESSION_TOKEN:-} ]] || printf 'header = %s\n' "$REPLY"
  fi
}

run_curl() { # CONFIGURATION ARGUMENTS: in the background, so that a signal ends it at once
  local code=0
  curl --disable --globoff --no-progress-meter --config - "${@:2}" <<<"$1" &
  child=$!
  wait "$child" || code=$?
  child=''
  return "$code"
}

get() { # URL FILE WHAT: one document by which all else is found
  local code=0 status
  quote "$1"
  run_curl "$common"$'\n'"url = $REPLY" --output "$2" --write-out '%{http_code}' --retry "$((tries - 1))" --retry-connrefused \
    --retry-max-time 60 >"$work/answers" || code=$?
  status=$(<"$work/answers")
  case $code/$status in
    0/200) ;;
    0/40[13]) stop 5 "The server refuses access to $3 ($status)." "See that everybody may read it, or that the credentials are right." ;;
    0/3*) stop 3 "The server has moved $3 ($status)." "Set AWS_REGION to the region of the bucket." ;;
    0/4*) stop 3 "The server has no $3 ($status)." "Correct the address." ;;
    *) stop 5 "The server that is to have $3 does not answer (curl $code, HTTP $status)." "Correct the address, or try again later." ;;
  esac
}

request() { # NUMBER LINES: add a request to `config`
  quote "${urls[$1]}"
  config+="${config:+next$'\n'}$common"$'\n'"url = $REPLY"$'\n'"write-out = \"$1 %{exitcode} %{http_code}\\n\""$'\n'"$2"$'\n'
}

request_all() { # sends what stands in `config`; gives the number, curl's code and the status of each answer
  [[ -z $config ]] || run_curl "$config" --parallel --parallel-max "$AT_ONCE" >"$work/answers" || true
  [[ -n $config ]] || : >"$work/answers"
}

read_headers() { # NUMBER: keep what the server told; after redirections its last answer counts
  local line value
  while IFS= read -r line; do
    value=${line%$'\r'} value=${value#*: }
    case ${line,,} in
      http/*) sizes[$1]='' times[$1]='' etags[$1]='' ;;
      content-length:*) digits "$value" && sizes[$1]=$REPLY ;;
      last-modified:*) times[$1]=$value ;;
      etag:*) etags[$1]=$value ;;
    esac
  done <"$work/$1"
  asked[$1]=yes
}
