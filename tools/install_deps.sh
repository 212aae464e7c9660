#!/bin/sh
# Installs what TeeTee needs from Debian 12; does nothing where all of it is there.
# usage: tools/install_deps.sh [build|test|dev|conformance]   (test adds the browser that tests open the
# page in; dev adds clang for fuzzing, format and lint tools; conformance adds what the float64 reference
# needs)
set -eu

build="g++ cmake ninja-build pkg-config make python3 curl ca-certificates \
libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev libboost-system1.81-dev \
libssl-dev libsecp256k1-dev libcrypto++-dev libprotobuf-dev protobuf-compiler \
libcli11-dev libtomlplusplus-dev libspdlog-dev libfmt-dev libpcre2-dev libutf8proc-dev libsqlite3-dev libedit-dev libgtest-dev python3-jinja2 python3-cryptography faketime openssl procps python3-yaml"
browser="chromium"
conformance="python3-numpy"
dev="clang llvm libclang-rt-dev clang-format clang-tidy libbenchmark-dev"

packages="$build"
[ "${1:-build}" = test ] && packages="$packages $browser"
[ "${1:-build}" = dev ] && packages="$packages $dev"
[ "${1:-build}" = conformance ] && packages="$packages $conformance"

missing=""
for p in $packages; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ]; then sudo=""; else sudo="sudo"; fi
echo "installing:$missing" >&2
# The default Boost headers (1.74) exclude 1.81; libraries of both may stand side by side.
$sudo apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >&2
