#!/bin/sh
# usage: deploy/image_root.sh TARBALL DIR
# The file system of TeeTee's container image, from the tarball of tools/release.sh: the program, the page that entries
# serve, the C library that it is linked with, the roots of https, and the folders that a node writes to.
set -eu
tarball=$1
root=$2
epoch=${SOURCE_DATE_EPOCH:?need SOURCE_DATE_EPOCH, as of tools/release.sh}
export LC_ALL=C
umask 022
rm -rf "$root"
mkdir -p "$root/usr/bin" "$root/usr/share/teetee" "$root/etc/ssl/certs" "$root/state" "$root/slot" "$root/tmp" "$root/usr/share/doc/teetee"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -xzf "$tarball" -C "$work" --strip-components=1
cp "$work/bin/teetee" "$root/usr/bin/teetee"
cp -R "$work/share/teetee/web" "$root/usr/share/teetee/web"
cp -R "$work/share/doc/teetee/licences" "$work/share/doc/teetee/LICENSE" "$work/share/doc/teetee/sbom.cdx.json" \
    "$root/usr/share/doc/teetee/"
# The loader and the libraries, under the paths that the program has for them.
for library in $(ldd "$root/usr/bin/teetee" | awk '$2 == "=>" && $3 ~ /^\// {print $3} $1 ~ /^\// {print $1}' | sort -u); do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done
# Of the package alone: a root that somebody has added to this machine is none of the image's.
LC_ALL=C
export LC_ALL
cat /usr/share/ca-certificates/mozilla/*.crt > "$root/etc/ssl/certs/ca-certificates.crt"
printf 'root:x:0:0:root:/:/usr/sbin/nologin\nteetee:x:65532:65532:teetee:/state:/usr/sbin/nologin\n' > "$root/etc/passwd"
printf 'root:x:0:\nteetee:x:65532:\n' > "$root/etc/group"
printf 'hosts: files dns\n' > "$root/etc/nsswitch.conf"
chmod -R u=rwX,go=rX "$root"
chmod 1777 "$root/tmp"
find "$root" -exec touch -h -d "@$epoch" {} +
