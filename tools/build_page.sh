#!/bin/sh
# usage: tools/build_page.sh DIR
# The web app as it is committed, into DIR: the same bytes in any folder. Needs git, npm and Node 20.19 or later.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
[ $# -eq 1 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
for program in npm node; do
    command -v $program > /dev/null || { echo "build_page: $program is missing; need Node 20.19 or later" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git -C "$root" archive HEAD web contracts/abi | tar -x -C "$work"
cd "$work/web"
npm ci --ignore-scripts --no-audit --no-fund --silent
npm run --silent build > build.log 2>&1 || { cat build.log >&2; exit 1; }
cp -R dist/. "$out"
