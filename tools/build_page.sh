#!/bin/sh
# usage: tools/build_page.sh DIR
# The web app as it is committed, into DIR: the same bytes in any folder. Needs git, npm and Node 20.19 or later.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
[ $# -eq 1 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
command -v npm > /dev/null || { echo "build_page: npm is missing; need Node 20.19 or later" >&2; exit 1; }
node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' ||
    { echo "build_page: have Node $(node --version), need 20.19 or later" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git -C "$root" archive HEAD web contracts/abi | tar -x -C "$work"
cd "$work/web"
for step in "ci --ignore-scripts --no-audit --no-fund" "run build"; do
    # shellcheck disable=SC2086
    npm $step > build.log 2>&1 || { cat build.log >&2; exit 1; }
done
# Each Node packs with a library of its own; Debian's gzip is one of the packages that a release is made with.
find dist -name '*.gz' | while read -r packed; do gzip -n -9 < "${packed%.gz}" > "$packed"; done
cp -R dist/. "$out"
