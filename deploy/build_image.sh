#!/bin/sh
# usage: deploy/build_image.sh [--tarball F] [--out DIR]
# Builds the container image without an engine: DIR/teetee-VERSION.oci.tar, always the same bytes, and says its digest.
# Into an engine: skopeo copy oci-archive:F docker://REGISTRY/teetee:VERSION, podman load -i F, docker load -i F.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=$root/build/image
tarball=
while [ $# -gt 0 ]; do
    case $1 in
        --out) mkdir -p "$2"; out=$(cd "$2" && pwd) ;;
        --tarball) tarball=$2 ;;
        *) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
    esac
    shift 2
done
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
mkdir -p "$out"
if [ -z "$tarball" ]; then
    "$root/tools/release.sh" --out "$out"
    tarball=$(ls "$out"/teetee-*-linux-x86_64.tar.gz)
fi
version=$(basename "$tarball" | sed 's/^teetee-\(.*\)-linux.*/\1/')
"$root/deploy/image_root.sh" "$tarball" "$out/root"
digest=$(python3 "$root/deploy/oci_image.py" "$out/root" "teetee:$version" "$out/teetee-$version.oci.tar")
echo "$digest" > "$out/teetee-$version.digest"
echo "$out/teetee-$version.oci.tar"
echo "teetee@$digest"
