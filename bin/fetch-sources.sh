# What bin/fetch-landing is to fetch: lists and buckets read, names checked. Sourced by it, and of no use alone.
#
# Names and sizes come from others. A name is a file's path only after `plan` let it pass, it is never evaluated as arithmetic, and it is a
# key of an array only behind a slash, since bash takes @ and * there for all keys.
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the script that sources this

encode() { # PATH: percent-encoded but for its slashes, in REPLY
  REPLY=$1
  [[ $1 == *[!A-Za-z0-9/._~-]* ]] || return 0
  local at char
  REPLY=
  for ((at = 0; at < ${#1}; at++)); do
    char=${1:at:1}
    if [[ $char == [!A-Za-z0-9/._~-] ]]; then
      printf -v char '%d' "'$char"
      printf -v char '%%%02X' "$((char & 255))"
    fi
    REPLY+=$char
  done
}

decode() { # TEXT: percent-decoded, in REPLY; fails where that is no text
  [[ $1 =~ ^([^%]|%[0-9A-Fa-f]{2})*$ && $1 != *%00* ]] || return 1
  REPLY=${1//\\/\\\\}
  printf -v REPLY '%b' "${REPLY//%/\\x}"
}

digits() { # TEXT: the number it is, or nothing, in REPLY
  REPLY=
  [[ ! $1 =~ ^[0-9]{1,18}$ ]] || REPLY=$((10#$1))
}

plan() { # NAME URL [SUM SIZE TIME ETAG]: take a file up, unless its name says no
  local at=${number[/$1]:-} lower=${1,,}
  if [[ /$1/ == *//* || /$1/ == */./* || /$1/ == */../* ]]; then
    refuse "$1" "the name leads out of the landing zone"
  elif [[ $1 == *[[:cntrl:]]* || $2 == *[[:cntrl:]]* ]]; then
    refuse "$1" "the name has control characters"
  elif [[ $1 =~ [^/]{221} || ${#1} -gt 2000 ]]; then
    refuse "$1" "the name is too long"
  elif [[ /$1 == */[_.]* || $lower/ =~ \.(tmp|part|crdownload)/ ]]; then
    passed=$((passed + 1)) # the landing zone would not read it
  elif [[ -n $at ]]; then
    [[ ${urls[at]} == "$2" ]] || refuse "$1" "another line gives another address the same name"
  else
    number[/$1]=${#names[@]}
    todo+=("${#names[@]}")
    names+=("$1") urls+=("$2") sums+=("${3:-}") sizes+=("${4:-}") times+=("${5:-}") etags+=("${6:-}")
    asked+=("${4:+yes}") settled+=("") parts+=("") causes+=("") best+=(0) doubted+=("")
  fi
}

read_list() { # FILE FOLDER: FOLDER is the address that paths are below, empty where the list is a file of this machine
  local line text sum path
  while IFS= read -r line || [[ -n $line ]]; do
    text=${line%$'\r'} sum=''
    [[ $text == [!#]* ]] || continue
    if [[ $text =~ ^([0-9A-Fa-f]{64})\ [\ *](.+)$ ]]; then
      sum=${BASH_REMATCH[1],,} text=${BASH_REMATCH[2]}
    elif [[ $text =~ ^\\[0-9A-Fa-f]{64}\ [\ *](.+)$ ]]; then
      refuse "${BASH_REMATCH[1]}" "the name has a line break or a backslash"
      continue
    fi
    if [[ $text =~ ^[Hh][Tt][Tt][Pp][Ss]?://[^/?#]+/([^?#]*) ]]; then
      path=${BASH_REMATCH[1]}
      [[ -z $2 || $text != "$2"* ]] || path=${text#"$2"} path=${path%%[?#]*}
      if decode "$path"; then plan "$REPLY" "$text" "$sum"; else refuse "$path" "the address is not well written"; fi
    elif [[ -n $2 ]]; then
      encode "$text"
      plan "$text" "$2$REPLY" "$sum"
    else
      refuse "$text" "a list on this machine holds whole addresses, http://... or https://..."
    fi
  done <"$1"
}

read_bucket() { # BUCKET[/FOLDER]
  local bucket=${1%%/*} folder='' token='' query
  [[ $bucket =~ ^[A-Za-z0-9._-]{3,63}$ ]] || stop 2 "This is no bucket: $bucket." "Write s3://BUCKET or s3://BUCKET/FOLDER."
  [[ $1 != */?* ]] || folder=${1#*/} folder=${folder%/}/
  while :; do
    encode "$folder"
    query="encoding-type=url&list-type=2&prefix=${REPLY//\//%2F}" # in the order that signatures want
    encode "$token"
    [[ -z $token ]] || query="continuation-token=${REPLY//\//%2F}&$query"
    get "$endpoint/$bucket?$query" "$work/list" "bucket $bucket"
    tr -d '\r\n' <"$work/list" | sed 's/<Contents>/\n&/g' >"$work/page"
    read_page "$bucket" "$folder" <"$work/page"
    told NextContinuationToken "$(<"$work/page")"
    token=$REPLY
    [[ -n $token ]] || break
  done
}

read_page() { # BUCKET FOLDER: one page of a bucket's list, from standard input, a file a line
  local line key address size time etag
  while IFS= read -r line || [[ -n $line ]]; do
    told Key "$line"
    key=$REPLY
    [[ $line == '<Contents>'* && $key != */ ]] || continue
    decode "${key//+/ }" || { refuse "$key" "the bucket's answer is not well written"; continue; }
    key=$REPLY
    encode "$key"
    address=$endpoint/$1/$REPLY
    told Size "$line"
    digits "$REPLY"
    size=$REPLY
    told LastModified "$line"
    time=${REPLY%%[.Z]*}Z
    told ETag "$line"
    etag=${REPLY//\"/}
    plan "${key#"$2"}" "$address" "" "$size" "$time" "${etag:+\"$etag\"}"
  done
}

told() { # TAG XML: what stands in the first element of that name, in REPLY
  REPLY=''
  [[ $2 != *"<$1>"* ]] || REPLY=${2#*"<$1>"} REPLY=${REPLY%%"</$1>"*} REPLY=${REPLY//&quot;/\"} REPLY=${REPLY//&#34;/\"} REPLY=${REPLY//&amp;/\&}
}
