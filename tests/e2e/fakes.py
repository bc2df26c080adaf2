# SPDX-License-Identifier: Apache-2.0
"""What stands at both ends of Tocsin in the fault tests: a target that says what it is told to say, and
a receiver that remembers what it was told and misbehaves when asked to."""

import email.utils
import http.server
import json
import math
import threading
import time

from harness import free_port


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256

    def handle_error(self, *_):
        pass  # A client that goes away in the middle is what the tests are about.


def serve(handler, port=0):
    server = Server(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


class Target:
    """A page of metrics: `series` maps what is before the value to the value."""

    def __init__(self, series=None):
        self.series = dict(series or {})
        self.answers = True
        self.scrapes = []
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                target.scrapes.append(time.time())
                if not target.answers:
                    self.send_error(500)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(target.text().encode())

            def log_message(self, *_):
                pass

        self.server = serve(Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"

    def text(self):
        return "".join(f"{name} {value}\n" for name, value in list(self.series.items()))

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def now_as_http_date(later):
    return email.utils.formatdate(time.time() + later, usegmt=True)


RETRY_AFTER = 4  # Seconds that a 429 asks for.


def plain(status):
    def answer(handler):
        handler.send_response(status)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return status
    return answer


def too_many(retry_after):
    def answer(handler):
        handler.send_response(429)
        handler.send_header("Retry-After", retry_after())
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return 429
    return answer


def busy(handler):
    """429 until it is well, and it says when that will be."""
    left = handler.receiver.well_at - time.time()
    return too_many(lambda: str(math.ceil(left)))(handler) if left > 0 else plain(200)(handler)


def hang(handler):
    deadline = time.monotonic() + 30
    while handler.receiver.mode == "hangs" and time.monotonic() < deadline:
        time.sleep(0.05)
    handler.close_connection = True
    return 0


def close_half_way(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":")
    handler.wfile.flush()
    handler.close_connection = True
    return 0


ANSWERS = {
    "ok": plain(200),
    "500": plain(500),
    "400": plain(400),
    "hangs": hang,
    "closes half-way": close_half_way,
    "429, seconds": too_many(lambda: str(RETRY_AFTER)),
    "429, date": too_many(lambda: now_as_http_date(RETRY_AFTER)),
    "429 until it is well": busy,
    "refuses": None,  # Nobody listens.
}


class Receiver:
    """A webhook, or the part of an Alertmanager that takes alerts. `requests` is all that came, in order:
    when, what, and the status that it was answered with (0: none)."""

    def __init__(self):
        self.requests = []
        self.mode = "ok"
        self.well_at = 0  # For "429 until it is well".
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.receiver = receiver
                at = time.time()
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                entry = {"at": at, "key": self.headers["Idempotency-Key"], "body": body, "status": 0,
                         "mode": receiver.mode}
                receiver.requests.append(entry)
                entry["status"] = ANSWERS[receiver.mode](self)

            def log_message(self, *_):
                pass

        self.handler = Handler
        self.server = None
        self.open()

    def open(self):
        self.server = serve(self.handler, self.port)

    def behave(self, mode):
        before, self.mode = self.mode, mode
        if mode == "refuses":
            self.server.shutdown()
            self.server.server_close()
        elif before == "refuses":
            self.open()

    def taken(self, once=False):
        """What was acknowledged, as (when, alert, status) in the order of arrival; `once`: without what came
        again under its old key, because the process was killed before it had written that it was taken."""
        told, keys = [], set()
        for request in list(self.requests):
            is_again = once and request["key"] in keys
            if request["status"] == 200 and not is_again:
                keys.add(request["key"])
                body = request["body"]
                alerts = body["alerts"] if isinstance(body, dict) else body
                told += [(request["at"], alert) for alert in alerts]
        return told

    def alerts(self, label):
        """The last that was told of each alert, by its value of `label`."""
        return {alert["labels"][label]: alert for _, alert in self.taken()}

    def story(self, label, once=False):
        """For each alert, by its value of `label`: the states that it was told in, in order."""
        story = {}
        for _, alert in self.taken(once):
            story.setdefault(alert["labels"][label], []).append(alert["status"])
        return story
