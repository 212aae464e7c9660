# SPDX-License-Identifier: Apache-2.0
"""Somebody between client and entry."""
import contextlib
import http.client
import http.server
import socket
import threading


class Tap:
    """Passes TCP connections on to a port of this machine and keeps every byte of both directions."""

    def __init__(self, port: int):
        self.target, self.seen = port, b""
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                entry = socket.create_connection(("127.0.0.1", self.target))
                for source, sink in ((client, entry), (entry, client)):
                    threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    def pump(self, source, sink):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                with self.lock:
                    self.seen += piece
                sink.sendall(piece)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def close(self):
        self.listener.close()


class Forger:
    """An HTTP server that asks the entry and hands out what `change(path, body)` makes of its answers."""

    def __init__(self, port: int, change):
        class Handler(http.server.BaseHTTPRequestHandler):
            def forward(self, body=None):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                connection.request(self.command, self.path, body,
                                   {"content-type": self.headers.get("content-type", "")})
                response = connection.getresponse()
                answer = change(self.path, response.read())
                self.send_response(response.status)
                self.send_header("content-type", response.headers["content-type"])
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def do_GET(self):
                self.forward()

            def do_POST(self):
                self.forward(self.rfile.read(int(self.headers["content-length"])))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
