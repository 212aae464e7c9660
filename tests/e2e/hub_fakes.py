# SPDX-License-Identifier: Apache-2.0
"""Servers on loopback that speak as Hugging Face's hub, the servers of its files, and Ollama's registry do: the hub
knows repositories and sends on to another server, with X-Linked-* headers and addresses that are signed and run out;
the other server has the bytes. Faults are chosen by the tests; all that was sent is counted."""
import hashlib
import http.server
import json
import pathlib
import re
import ssl
import threading
import time
import urllib.parse

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def git_oid(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Server:
    """Answers GET; `answer(handler, target)` of a subclass sends what it wants. `asked` has (path, headers)."""

    def __init__(self, certificate: pathlib.Path | None = None):
        self.asked, self.lock = [], threading.Lock()
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with service.lock:
                    service.asked.append((self.path, dict(self.headers.items())))
                try:
                    service.answer(self, urllib.parse.urlsplit(self.path))
                except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
                    self.close_connection = True

            def reply(self, status: int, headers: dict | None = None, body: bytes = b""):
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def reply_json(self, value, headers: dict | None = None):
                self.reply(200, {"Content-Type": "application/json; charset=utf-8"} | (headers or {}),
                           json.dumps(value).encode())

            def log_message(self, *_):
                pass

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):  # a client that does not like the certificate
                pass

        self.server = Listener(("127.0.0.1", 0), Handler)
        self.scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
            self.scheme = "https"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.server.server_address[1]}"

    def count(self, part: str) -> int:
        return sum(part in path for path, _ in self.asked)

    def tokens(self) -> set:
        return {headers.get("authorization") for _, headers in self.asked}

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class FileServer(Server):
    """Where the bytes are, as S3 and CloudFront serve them: ranges, a strong ETag, signed addresses.

    What may be set: has_ranges; etags (False: none); bytes_per_second (0: no limit, for all connections together);
    cut_after (every answer ends after so many bytes); cuts (how many answers are cut, None: all); refusals (a list of
    (status, headers), one for each request that comes, before anything else); on_sent(total) is called as bytes go out.
    `sent` counts the bytes of files, `ranges` has those that were answered, `credentials` what came as Authorization.
    """

    def __init__(self, files: dict[str, bytes] | None = None, certificate=None):
        super().__init__(certificate)
        self.files = files if files is not None else {}
        self.has_ranges, self.etags, self.signed = True, True, False
        self.bytes_per_second, self.cut_after, self.cuts = 0, None, None
        self.refusals: list[tuple[int, dict]] = []
        self.valid_signatures: set[str] = set()
        self.sent, self.ranges, self.credentials = 0, [], set()
        self.chunked = self.without_length = False
        self.extra_headers: dict[str, str] = {}
        self.claimed_bytes, self.shift = None, 0  # what Content-Range says of the whole, and how far it is off
        self.on_sent = lambda total: None

    def answer(self, handler, target):
        with self.lock:
            refusal = self.refusals.pop(0) if self.refusals else None
            self.credentials.add(handler.headers.get("Authorization"))
        if refusal:
            return handler.reply(*refusal)
        name = urllib.parse.unquote(target.path).lstrip("/")
        if self.signed and urllib.parse.parse_qs(target.query).get("Signature", [""])[0] not in self.valid_signatures:
            return handler.reply(403, {"Content-Type": "application/xml"}, b"<Error><Code>AccessDenied</Code></Error>")
        if name not in self.files:
            return handler.reply(404)
        data = self.files[name]
        headers = {"Content-Type": "application/octet-stream"} | self.extra_headers
        if self.etags:
            headers["ETag"] = f'"{hashlib.md5(data).hexdigest()}"'
        first, end, status = 0, len(data), 200
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", ""))
        if wanted and self.has_ranges:
            first, end = int(wanted[1]), min(len(data), int(wanted[2]) + 1 if wanted[2] else len(data))
            if first >= len(data):
                return handler.reply(416, {"Content-Range": f"bytes */{len(data)}"})
            status, headers["Content-Range"] = 206, f"bytes {first + self.shift}-{end - 1 + self.shift}/{self.claimed_bytes or len(data)}"
            with self.lock:
                self.ranges.append((first, end))
        self.send(handler, status, headers, data[first:end])

    def send(self, handler, status, headers, body):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if self.chunked:
            handler.send_header("Transfer-Encoding", "chunked")
        elif not self.without_length:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        left = body
        if self.cut_after is not None and len(body) > self.cut_after and self.cuts != 0:
            left = body[:self.cut_after]
            if self.cuts is not None:
                self.cuts -= 1
        is_cut = len(left) < len(body)
        while left:
            piece, left = left[:16384], left[16384:]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if self.chunked else piece)
            with self.lock:
                self.sent += len(piece)
                total = self.sent
            self.on_sent(total)
            if self.bytes_per_second:
                time.sleep(len(piece) / self.bytes_per_second)
        if is_cut or self.without_length:
            handler.close_connection = True
        elif self.chunked:
            handler.wfile.write(b"0\r\n\r\n")


class HuggingFace(Server):
    """The hub: /api/models/.. and /OWNER/NAME/resolve/... Files in `large` are LFS files and lie at the file server;
    the others come from the hub itself, by way of its cache, as huggingface.co serves them."""

    def __init__(self, repository: str, files: dict[str, bytes], file_server: FileServer, certificate=None):
        super().__init__(certificate)
        self.repository, self.files, self.file_server = repository, files, file_server
        self.large = {name for name in files if name.endswith((".gguf", ".safetensors"))}
        self.licence, self.gated, self.private, self.page_files = "apache-2.0", False, False, 1000
        self.good_token, self.granted = None, True
        self.listed: dict[str, dict] = {}  # members of an entry of the list that are not true
        self.extra_entries: list[dict] = []
        self.refusals: list[tuple[int, dict]] = []
        self.location = None  # where files lie instead
        self.redirect_headers: dict[str, str] = {}  # that are not true
        self.signatures = 0
        file_server.signed = True
        file_server.files |= {f"repos/{sha256(files[name])}": files[name] for name in self.large}

    def refuse(self, handler, status, code, message):
        handler.reply(status, {"X-Error-Code": code, "X-Error-Message": message, "Content-Type": "text/plain"},
                      message.encode())

    def answer(self, handler, target):
        with self.lock:
            refusal = self.refusals.pop(0) if self.refusals else None
        if refusal:
            return handler.reply(*refusal)
        token = handler.headers.get("Authorization")
        is_known = self.good_token is not None and token == f"Bearer {self.good_token}"
        if token is not None and not is_known:
            return handler.reply(401, {"X-Error-Message": "Invalid credentials in Authorization header"})
        path = urllib.parse.unquote(target.path)
        is_here = path.startswith((f"/api/models/{self.repository}/", f"/{self.repository}/"))
        if not is_here or (self.private and not is_known):
            return self.refuse(handler, 404 if is_known else 401, "RepoNotFound", "Repository not found")
        if path.startswith("/api/models/"):
            return self.answer_api(handler, path.removeprefix(f"/api/models/{self.repository}"), target)
        match = re.fullmatch(rf"/{re.escape(self.repository)}/resolve/([^/]+)/(.+)", path)
        if not match or match[1] != COMMIT:
            return self.refuse(handler, 404, "RevisionNotFound", "Invalid rev id")
        if self.gated and not is_known:
            return self.refuse(handler, 401, "GatedRepo", "Access to model is restricted. Please log in.")
        if self.gated and not self.granted:
            return self.refuse(handler, 403, "GatedRepo", "You are not in the authorized list.")
        self.answer_file(handler, match[2], target)

    def answer_api(self, handler, path, target):
        if path.startswith("/revision/"):
            if path not in ("/revision/main", "/revision/v1", f"/revision/{COMMIT}"):
                return self.refuse(handler, 404, "RevisionNotFound", "Invalid rev id")
            return handler.reply_json({
                "_id": "6540", "id": self.repository, "private": self.private, "sha": COMMIT, "disabled": False,
                "gated": "manual" if self.gated else False, "downloads": 7, "pipeline_tag": "text-generation",
                "tags": ["gguf", f"license:{self.licence}", "region:us"], "cardData": {"license": self.licence},
                "siblings": [{"rfilename": name} for name in self.files]})
        if path != f"/tree/{COMMIT}":
            return self.refuse(handler, 404, "RevisionNotFound", "Invalid rev id")
        query = urllib.parse.parse_qs(target.query)
        assert query["recursive"] == ["true"], target
        entries = [{"type": "directory", "oid": "d" * 40, "size": 0, "path": "sub"}] + self.extra_entries
        for name, data in self.files.items():
            entry = {"type": "file", "oid": git_oid(data), "size": len(data), "path": name}
            if name in self.large:
                entry |= {"lfs": {"oid": sha256(data), "size": len(data), "pointerSize": 134}, "xetHash": "e" * 64}
            entries.append(entry | self.listed.get(name, {}))
        begin = int(query.get("cursor", ["0"])[0])
        headers = {}
        if begin + self.page_files < len(entries):
            headers["Link"] = (f'<{self.url}/api/models/{self.repository}{path}?recursive=true&cursor='
                               f'{begin + self.page_files}>; rel="next"')
        handler.reply_json(entries[begin:begin + self.page_files], headers)

    def answer_file(self, handler, name, target):
        if name not in self.files:
            return self.refuse(handler, 404, "EntryNotFound", "Entry not found")
        data = self.files[name]
        if name in self.large:
            with self.lock:
                self.signatures += 1
                signature = f"s{self.signatures}"
                self.file_server.valid_signatures.add(signature)
            location = self.location or f"{self.file_server.url}/repos/{sha256(data)}?Expires=1&Signature={signature}"
            return handler.reply(302, {"Location": location, "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes",
                                       "X-Linked-Size": str(len(data)), "X-Linked-ETag": f'"{sha256(data)}"'} | self.redirect_headers,
                                 b"Found. Redirecting to elsewhere")
        if "cached" not in target.query:
            return handler.reply(307, {"Location": f"{target.path}?cached=1", "X-Repo-Commit": COMMIT},
                                 b"Temporary Redirect")
        handler.reply(200, {"ETag": f'"{git_oid(data)}"', "X-Repo-Commit": COMMIT, "Content-Type": "text/plain"}, data)


class Ollama(Server):
    """A registry of images whose blobs lie at the file server."""

    def __init__(self, repository: str, tag: str, layers: list[tuple[str, bytes]], file_server: FileServer):
        super().__init__()
        self.repository, self.tag, self.layers, self.file_server = repository, tag, layers, file_server
        file_server.signed = True
        file_server.files |= {f"blobs/{sha256(data)}": data for _, data in layers}
        self.manifest = {
            "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": "sha256:" + "0" * 64,
                       "size": 485},
            "layers": [{"mediaType": f"application/vnd.ollama.image.{kind}", "digest": f"sha256:{sha256(data)}",
                        "size": len(data)} for kind, data in layers]}

    def answer(self, handler, target):
        base = f"/v2/{self.repository}"
        if target.path == f"{base}/manifests/{self.tag}":
            assert "application/vnd.docker.distribution.manifest.v2+json" in handler.headers["Accept"]
            return handler.reply(200, {"Content-Type": "application/vnd.docker.distribution.manifest.v2+json"},
                                 json.dumps(self.manifest).encode())
        blob = target.path.removeprefix(f"{base}/blobs/sha256:")
        if blob in {sha256(data) for _, data in self.layers}:
            with self.lock:
                self.file_server.valid_signatures.add("r2")
            return handler.reply(307, {"Location": f"{self.file_server.url}/blobs/{blob}?Signature=r2"})
        handler.reply(404, {"Content-Type": "application/json"},
                      json.dumps({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}).encode())
