#!/usr/bin/env bash
# Installs what Ipse needs beside Go, Node.js and a C compiler, and says what it
# does. Safe to run again: what is present is left alone.
#   scripts/setup.sh build   what `make build` and `make demo` need
#   scripts/setup.sh test    that, and what the whole test suite needs
set -euo pipefail
cd "$(dirname "$0")/.."
want=${1:-build}

say() { printf 'setup: %s\n' "$*" >&2; }
need() { command -v "$1" >/dev/null 2>&1 || { say "$1 is missing: $2"; exit 1; }; }

# retry WHAT COMMAND...: four tries, because networks and registries falter.
retry() {
  local what=$1 pause
  shift
  for pause in 5 20 60 0; do
    "$@" && return
    [ "$pause" = 0 ] || { say "$what: failed, tried again in $pause s"; sleep "$pause"; }
  done
  say "$what: failed four times; is the network, or the registry, out of reach?"
  return 1
}

need go "install Go 1.26 or newer"
need node "install Node.js 20 or newer"
need npm "it comes with Node.js"
need cc "install gcc (Debian: apt-get install gcc)"

# npm_install DIR: installs the locked packages of DIR when the lock file changed.
npm_install() {
  local stamp="$1/node_modules/.ipse-lock"
  if [ -f "$stamp" ] && cmp -s "$stamp" "$1/package-lock.json"; then return; fi
  say "npm packages of $1/package-lock.json"
  PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 retry "npm packages" npm --prefix "$1" ci --ignore-scripts --no-audit --no-fund --loglevel=error
  cp "$1/package-lock.json" "$stamp"
}
npm_install .
npm_install web

[ "$want" = test ] || exit 0

# Nothing that comes later waits for the network.
retry "Go modules" go list -deps -test ./... >/dev/null

# JMRTD (LGPL), an independent reader of documents, for one test: a tool beside the
# program, never linked and never shipped. Without Java or Maven the test is skipped.
if command -v java >/dev/null 2>&1 && command -v mvn >/dev/null 2>&1 && ! ls .cache/jmrtd/jmrtd-*.jar >/dev/null 2>&1; then
  say "JMRTD and what it needs into .cache/jmrtd (internal/pcsc/testdata/jmrtd/pom.xml)"
  timeout 300 mvn -q -B -f internal/pcsc/testdata/jmrtd/pom.xml dependency:copy-dependencies "-DoutputDirectory=$PWD/.cache/jmrtd" >/dev/null ||
    say "not fetched: the test that needs it is skipped and says so"
fi

# Debian packages, by the file that shows each is present.
missing=()
while read -r file package; do
  [ -e "$file" ] || missing+=("$package")
done <<'EOF'
/usr/bin/chromium chromium
/usr/bin/openssl openssl
/usr/sbin/pcscd pcscd
/usr/lib/x86_64-linux-gnu/libpcsclite.so.1 libpcsclite1
/usr/bin/opj_compress libopenjp2-tools
EOF
if [ -f /usr/lib/pcsc/drivers/serial/libifdvpcd.so ] || ls /usr/lib/pcsc/drivers/serial/libifdvpcd.so* >/dev/null 2>&1; then :; else missing+=(vsmartcard-vpcd); fi
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi
if ! command -v apt-get >/dev/null 2>&1; then
  say "not Debian: install the equivalents of: ${missing[*]}"
  say "tests that need one of them are skipped and say so"
  exit 0
fi
run=""
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    say "neither root nor sudo: have these Debian packages installed: ${missing[*]}"
    say "tests that need one of them are skipped and say so; the browser tests fail without chromium"
    exit 0
  fi
  run="sudo"
fi
say "Debian packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
install() {
  $run apt-get update -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 &&
    $run apt-get install -y -qq --no-install-recommends -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 "${missing[@]}" >/dev/null
}
retry "Debian packages" install
