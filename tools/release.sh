#!/bin/sh
# usage: tools/release.sh [--out DIR] [--jobs N]    builds teetee-VERSION-linux-x86_64.tar.gz
#        tools/release.sh --built BUILD_DIR [..]    packs a program that is built already, to try what is around it
#        tools/release.sh --page DIR [..]           with a page that tools/build_page.sh has built already; else it does
#        tools/release.sh --check [--quick] [..]    builds it twice, from clean clones in two folders, and compares
# The same commit with the same Debian packages makes the same bytes (docs/deploy.md). --check goes without a compiler
# cache unless --quick.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=$root/build/release-tarball
jobs=$(nproc)
check=no
quick=no
built=
page=
while [ $# -gt 0 ]; do
    case $1 in
        --out) mkdir -p "$2"; out=$(cd "$2" && pwd); shift ;;
        --jobs) jobs=$2; shift ;;
        --built) built=$(cd "$2" && pwd); shift ;;
        --page) page=$(cd "$2" && pwd); shift ;;
        --check) check=yes ;;
        --quick) quick=yes ;;
        *) sed -n '2,7s/^# //p' "$0" >&2; exit 2 ;;
    esac
    shift
done

if [ $check = yes ]; then
    work=$(mktemp -d)
    if [ $quick = yes ]; then
        export CCACHE_BASEDIR="$work" CCACHE_NOHASHDIR=1
    else
        export CCACHE_DISABLE=1
    fi
    trap 'rm -rf "$work"' EXIT
    # Of different lengths, so that a path in the result shows.
    for place in first/teetee a/much/longer/way/to/the/second; do
        git clone -q --no-local "$root" "$work/$place"
        "$work/$place/tools/release.sh" --jobs "$jobs" --out "$work/$place/out"
    done
    cd "$work"
    sha256sum first/teetee/out/*.tar.gz a/much/longer/way/to/the/second/out/*.tar.gz
    if cmp first/teetee/out/*.tar.gz a/much/longer/way/to/the/second/out/*.tar.gz; then
        mkdir -p "$out"
        cp first/teetee/out/* "$out"
        echo "the same bytes twice: $(ls "$out"/*.tar.gz)"
        exit 0
    fi
    for place in first/teetee a/much/longer/way/to/the/second; do
        (cd $place/out && mkdir unpacked && tar -xzf ./*.tar.gz -C unpacked && cd unpacked && find . -type f -exec sha256sum {} +) |
            sort -k 2 > "$work/list.$(basename $place)"
    done
    diff "$work/list.teetee" "$work/list.second" || true
    exit 1
fi

export LC_ALL=C TZ=UTC
umask 022
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
cd "$root"
build=$root/build/dist
if [ -n "$built" ]; then
    build=$built
else
    tools/install_deps.sh build
    cmake --preset dist > /dev/null
    cmake --build --preset dist -j "$jobs" --target teetee
fi

# No path of this machine may be in it.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
strip --strip-all -o "$work/teetee" "$build/teetee"
if grep -qaF "$root/" "$work/teetee"; then
    echo "release: the program has the path $root in it" >&2
    exit 1
fi

version=$(sed -n 's/^project(teetee VERSION \([0-9.]*\) .*/\1/p' CMakeLists.txt)
name=teetee-$version-linux-x86_64
stage=$work/stage
tree=$stage/$name
doc=$tree/share/doc/teetee
mkdir -p "$tree/bin" "$tree/share/man/man1" "$tree/lib/systemd/system" "$doc/licences" \
    "$tree/share/bash-completion/completions" "$tree/share/zsh/site-functions" "$tree/share/fish/vendor_completions.d"
install -m 0755 "$work/teetee" "$tree/bin/teetee"
# What it prints must not depend on who builds.
run() { env -i PATH=/usr/bin:/bin HOME=/nonexistent TEETEE_CONFIG=none "$tree/bin/teetee" "$@"; }
# Where entries look for the page that comes with the program.
mkdir -p "$tree/share/teetee/web"
if [ -n "$page" ]; then
    cp -R "$page/." "$tree/share/teetee/web"
else
    tools/build_page.sh "$tree/share/teetee/web"
fi
run man --out "$tree/share/man/man1" > /dev/null
run completion bash > "$tree/share/bash-completion/completions/teetee"
run completion zsh > "$tree/share/zsh/site-functions/_teetee"
run completion fish > "$tree/share/fish/vendor_completions.d/teetee.fish"
cp deploy/systemd/teetee-node.service "$tree/lib/systemd/system/"
# What is committed, and nothing that lies beside it: policies, keys and seeds are put there.
git archive HEAD deploy | tar -x -C "$tree/share/doc/teetee"
cp LICENSE README.md SECURITY.md "$doc/"
python3 tools/linked_packages.py "$build" "$tree/share/teetee/web" "$doc"

find "$stage" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$out"
tar --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
    --mode='u=rwX,go=rX' -C "$stage" -cf - "$name" | gzip -n -9 > "$out/$name.tar.gz.part"
mv "$out/$name.tar.gz.part" "$out/$name.tar.gz"
(cd "$out" && sha256sum "$name.tar.gz" > SHA256SUMS)
echo "$out/$name.tar.gz"
