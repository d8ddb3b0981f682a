#!/usr/bin/env bash
# Everything that `make test` runs, stage by stage. A stage that takes too long is
# stopped and named; the output ends with what failed, one line a test, because the
# end is what one sees of a long log. The logs stay in .cache/test.
#   scripts/test.sh      all stages
#   scripts/test.sh go   the Go tests alone; what fails is run once more and named (ADR 0079)
set -uo pipefail
cd "$(dirname "$0")/.."
logs=.cache/test
go=${GO:-go}

# Go, npm and Chromium keep things in the home folder.
if [ ! -d "${HOME:-}" ] || [ ! -w "$HOME" ]; then
  export HOME="$PWD/.cache/home"
  mkdir -p "$HOME"
fi

plain() { sed 's/\x1b\[[0-9;]*[A-Za-z]//g' "$@"; }

# go_failures LOG: "PACKAGE TEST MESSAGE" by tabs, one line for each failed test, or
# for what else ended a package, with "-" for the test.
go_failures() {
  awk '
    /^ *--- FAIL: / { sub(/^ *--- FAIL: /, ""); sub(/ \([0-9.]+s\)$/, ""); test[++n] = $0; said[n] = ""; next }
    /^(panic|fatal error|WARNING: DATA RACE|Exit code|signal): ?/ { test[++n] = "-"; said[n] = $0; next }
    /^FAIL\t/ {
      for (i = 1; i <= n; i++) if (said[i] != "") print $2 "\t" test[i] "\t" said[i]
      if (n == 0) print $2 "\t-\t" (/ failed\]/ ? "does not build" : "no test is named: see the log")
      n = 0; next
    }
    n && said[n] == "" && NF { sub(/^[ \t]+/, ""); said[n] = substr($0, 1, 240) }
  ' "$1"
}

# go_tests runs all; up to five tests that fail are run once more, alone.
go_tests() {
  "$go" test -timeout 30m ./... 2>&1 | tee "$logs/go-first.log" && return 0
  local failures package names again=""
  failures=$(go_failures "$logs/go-first.log")
  if [ -z "$failures" ] || [ "$(wc -l <<<"$failures")" -gt 5 ] || cut -f2 <<<"$failures" | grep -qx -e -; then return 1; fi
  echo "--- what failed is run once more"
  while read -r package; do
    names=$(awk -F'\t' -v p="$package" '$1 == p { sub(/\/.*/, "", $2); print $2 }' <<<"$failures" | sort -u | paste -sd'|')
    "$go" test -count=1 -timeout 10m -run "^($names)\$" "$package" || return 1
    again+="$package $names"$'\n'
  done < <(cut -f1 <<<"$failures" | sort -u)
  printf '%s\n' "$failures" >"$logs/flaky.tsv"
}

if [ "${1:-}" = go ]; then
  mkdir -p "$logs"
  go_tests
  exit
fi

# failures STAGE: what failed, in few lines.
failures() {
  local log="$logs/$1.log" found=""
  case $1 in
  go) found=$(go_failures "$log" | awk -F'\t' '!seen[$0]++ { print $1 "  " $2 "\n      " $3 }') ;;
  browser) found=$(plain "$log" | awk '/^  [0-9]+\) / { print; want = 1; next } want && /Error|Timeout|timeout/ { print; want = 0 }') ;;
  pages) found=$(plain "$log" | grep -E '^ *(FAIL|AssertionError|Error:)|error TS|^ +[0-9]+:[0-9]+ +error' | awk '!seen[$0]++') ;;
  esac
  [ -n "$found" ] || found=$(plain "$log" | grep -v '^$' | tail -n 15)
  head -n 60 <<<"$found" | sed 's/^/  /'
}

report=""
budget=$((85 * 60)) # seconds for all stages, from the start of this script
# stage NAME MINUTES COMMAND...: runs a command, for so long at most and within the
# budget; ends everything when it fails.
stage() {
  local name=$1 limit=$(($2 * 60)) began=$SECONDS code=0 pid shown
  shift 2
  if [ "$limit" -gt $((budget - began)) ]; then limit=$((budget - began)); fi
  echo "=== $name"
  : >"$logs/$name.log"
  timeout --kill-after=30 "$limit" "$@" >"$logs/$name.log" 2>&1 </dev/null &
  pid=$!
  trap 'kill "$pid" 2>/dev/null; exit 130' INT TERM
  tail -n +1 -s 0.2 -f --pid="$pid" "$logs/$name.log" &
  shown=$!
  wait "$pid" || code=$?
  wait "$shown"
  trap - INT TERM
  report+=$(printf '%5d s  %s' "$((SECONDS - began))" "$name")$'\n'
  [ "$code" -ne 0 ] || return 0
  echo
  echo "=== FAILED: $name, after $((SECONDS - began)) s"
  case $code in 124 | 137) echo "  it took longer than $limit s and was stopped; the last that it said:" ;; esac
  failures "$name"
  echo "=== the whole log: $logs/$name.log"
  exit 1
}

rm -rf "$logs"
mkdir -p "$logs"
make="${MAKE:-make} --no-print-directory"
stage setup 25 scripts/setup.sh test
stage sources 20 $make check
stage pages 15 npm --prefix web run --silent check
stage build 15 $make build
stage go 40 scripts/test.sh go
stage browser 45 $make e2e
echo
printf '%s' "$report"
if [ -s "$logs/flaky.tsv" ]; then
  echo "=== failed once and passed when run again; each is a fault to be mended:"
  awk -F'\t' '{ print "  " $1 "  " $2 "\n      " $3 }' "$logs/flaky.tsv"
fi
plain "$logs/browser.log" | awk '/^  [0-9]+ flaky/ { show = 1 } /^  [0-9]+ (skipped|passed)/ { show = 0 } show'
echo "=== all passed"
