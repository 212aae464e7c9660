#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An OCI image of a folder, without any engine: usage: oci_image.py ROOT NAME:TAG OUT.tar

What goes in alone decides what comes out: entries are sorted, owners and times fixed (SOURCE_DATE_EPOCH), and the layer
is not compressed, since compressors differ. OUT.tar is an OCI layout (image-spec 1.0) that skopeo, podman, buildah,
containerd and docker load. Prints the digest that the image is named by.
"""
import hashlib
import io
import json
import os
import pathlib
import sys
import tarfile
import time

NODE = 65532
# Folders that belong to the user that nodes run as.
OWNED = {"state", "slot"}
CONFIG = {
    "User": f"{NODE}:{NODE}",
    "Env": ["PATH=/usr/bin", "XDG_STATE_HOME=/tmp/state", "XDG_CACHE_HOME=/tmp/cache", "XDG_DATA_HOME=/tmp/data"],
    "Entrypoint": ["/usr/bin/teetee"],
    "Cmd": ["--help"],
    "Volumes": {"/state": {}, "/slot": {}},
    "ExposedPorts": {f"{port}/tcp": {} for port in (5001, 5002, 5003, 5010)},
    # Docker's; others ask for probes where the container is described.
    "Healthcheck": {"Test": ["CMD", "/usr/bin/teetee", "deploy", "probe", "http://127.0.0.1:5001/ready"],
                    "Interval": 30_000_000_000, "Timeout": 10_000_000_000, "StartPeriod": 1_800_000_000_000},
}


def layer(root: pathlib.Path, epoch: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(root.rglob("*"), key=lambda p: str(p.relative_to(root))):
            name = str(path.relative_to(root))
            info = tar.gettarinfo(path, arcname=name)
            owner = NODE if name in OWNED else 0
            info.uid = info.gid = owner
            info.uname = info.gname = ""
            info.mtime = epoch
            if info.isfile():
                # Hard links would depend on the order of the file system.
                info.type, info.linkname, info.size = tarfile.REGTYPE, "", path.stat().st_size
                with open(path, "rb") as content:
                    tar.addfile(info, content)
            else:
                tar.addfile(info)
    return out.getvalue()


def encode(value) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__.splitlines()[0])
    root, name, out = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    epoch = int(os.environ["SOURCE_DATE_EPOCH"])
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))
    blobs: dict[str, bytes] = {}

    def blob(media_type: str, data: bytes) -> dict:
        blobs[digest(data)] = data
        return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

    tar = layer(root, epoch)
    config = {"architecture": "amd64", "os": "linux", "created": created, "config": CONFIG,
              "rootfs": {"type": "layers", "diff_ids": [digest(tar)]},
              "history": [{"created": created, "created_by": "deploy/build_image.sh"}]}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": blob("application/vnd.oci.image.config.v1+json", encode(config)),
                "layers": [blob("application/vnd.oci.image.layer.v1.tar", tar)]}
    image = blob("application/vnd.oci.image.manifest.v1+json", encode(manifest))
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
             "manifests": [image | {"annotations": {"org.opencontainers.image.ref.name": name.split(":")[-1],
                                                    "io.containerd.image.name": name}}]}
    files = {"index.json": encode(index), "oci-layout": encode({"imageLayoutVersion": "1.0.0"})}
    files |= {f"blobs/sha256/{name[7:]}": data for name, data in blobs.items()}
    with tarfile.open(out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(files):
            info = tarfile.TarInfo(path)
            info.size, info.mtime, info.mode = len(files[path]), epoch, 0o644
            archive.addfile(info, io.BytesIO(files[path]))
    print(image["digest"])


main()
