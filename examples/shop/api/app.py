"""Counts what is sold: GET /sold, POST /sold. The number is in the database, so it outlives this program."""
import http.server
import json
import os
import signal
import socket
import sys

PASSWORD = open("/run/secrets/database_password").read().strip()


def ask(*words):
    """One command of Redis' protocol, and its answer."""
    with socket.create_connection((os.environ["DATABASE"], 6379), timeout=2) as connection:
        stream = connection.makefile("rwb")
        for command in (("AUTH", PASSWORD), words):
            stream.write(b"*%d\r\n" % len(command))
            for word in command:
                stream.write(b"$%d\r\n%s\r\n" % (len(word), word.encode()))
            stream.flush()
            answer = stream.readline().strip()
            if answer.startswith(b"$") and answer != b"$-1":
                answer = b":" + stream.readline().strip()
            if answer.startswith(b"-"):
                raise OSError(answer.decode())
        return answer


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, *words):
        try:
            value = ask(*words)
            body = {"sold": 0 if value == b"$-1" else int(value[1:])}
            status = 200
        except OSError as error:
            body, status = {"error": str(error)}, 503
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def do_GET(self):
        self.answer("GET", "sold")

    def do_POST(self):
        self.answer("INCR", "sold")


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("the API listens on 8000")
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
