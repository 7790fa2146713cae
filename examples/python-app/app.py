"""Answers every request with how many there were."""
import itertools
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

count = itertools.count(1)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"Hello from Python, request {next(count)}.\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        print(self.address_string(), format % args, flush=True)


ThreadingHTTPServer(("", int(os.environ.get("PORT", "8000"))), Handler).serve_forever()
