#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same questions to a real Prometheus and to Tocsin, which scrape the same page: the same status
and the same JSON, mistakes included."""

import http.server
import json
import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from harness import Lab, get_json, need, wait_until

PAGE = """# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{path="/",code="200"} 1027
requests_total{path="/",code="500"} 3
requests_total{path="/a \\"b\\" \\\\ \\n",code="200"} 1.5e9
# TYPE temperature gauge
temperature{room="hall"} -12.5
temperature{room="attic"} NaN
temperature{room="oven"} +Inf
temperature{room="lab"} 1e-7
# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.1"} 10
latency_seconds_bucket{le="1"} 30
latency_seconds_bucket{le="+Inf"} 33
latency_seconds_sum 12.25
latency_seconds_count 33
"""

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms}}
scrape_configs: [{{job_name: page, static_configs: [{{targets: ['{page}'], labels: {{zone: z1}}}}]}}]
"""
KEEP = "keep: ['{__name__=~\".+\"}']\n"

INSTANT = [
    "1", "1e-7", "vector(1e22)", '"text"', "time() - time()", "requests_total", "sort(requests_total)",
    'temperature{room!="attic"}', "temperature", "-temperature", "sum by (code) (requests_total)",
    "requests_total / on (path, code) requests_total", "rate(requests_total[5s])", "nothing_there",
    "histogram_quantile(0.5, latency_seconds_bucket)", "topk(1, requests_total)", "absent(nothing{a=\"b\"})",
    "requests_total > bool 5", "count_values(\"v\", requests_total)", "scalar(sum(requests_total))",
    "label_replace(requests_total, \"c\", \"$1\", \"code\", \"(.).*\")", "up",
    "max_over_time(sum(requests_total)[3s:1s])", "requests_total and on () (temperature > 1e300)",
]
RANGE = ["requests_total", "1", "sum(requests_total)", "temperature > 0", "nothing_there", "up == 1",
         "rate(requests_total[3s])", "histogram_quantile(0.9, rate(latency_seconds_bucket[5s]))"]

# Method, path, parameters. The same words are expected.
SAME = [
    ("GET", "query", [("query", "requests_total +")]),
    ("GET", "query", [("query", "rate(requests_total)")]),
    ("GET", "query", [("query", "unknown_function(up)")]),
    ("GET", "query", [("query", "up"), ("timeout", "soon")]),
    ("GET", "query", [("query", "")]),
    ("GET", "query", [("query", "requests_total + ignoring(code) temperature * on() up")]),
    ("GET", "query_range", [("query", "up"), ("start", "10"), ("end", "5"), ("step", "1")]),
    ("GET", "query_range", [("query", "up"), ("start", "5"), ("end", "10"), ("step", "0")]),
    ("GET", "query_range", [("query", "up"), ("start", "5"), ("end", "10"), ("step", "often")]),
    ("GET", "query_range", [("query", "up"), ("start", "5"), ("end", "100000"), ("step", "1")]),
    ("GET", "query_range", [("query", "up"), ("end", "10"), ("step", "1")]),
    ("GET", "series", []),
    ("GET", "series", [("match[]", "{a=~\".*\"}")]),
    ("GET", "series", [("match[]", "requests_total"), ("match[]", "temperature")]),
    ("POST", "series", [("match[]", 'requests_total{code="200"}')]),
    ("GET", "series", [("match[]", "nothing_there")]),
    ("GET", "labels", [("match[]", "requests_total")]),
    ("POST", "labels", [("match[]", "latency_seconds_bucket"), ("match[]", "temperature")]),
    ("GET", "label/code/values", []),
    ("GET", "label/room/values", [("match[]", 'temperature{room=~"[a-h].*"}')]),
    ("GET", "label/nothing/values", []),
    ("GET", "label/__name__/values", [("match[]", '{__name__=~"requests.*|temp.*"}')]),
    ("GET", "query_exemplars", [("query", "requests_total"), ("start", "1"), ("end", "2")]),
    ("GET", "query_exemplars", [("query", "requests_total"), ("start", "2"), ("end", "1")]),
    ("GET", "query_exemplars", [("query", "requests_total +"), ("start", "1"), ("end", "2")]),
    ("GET", "metadata", [("limit", "few")]),
    ("GET", "metadata", [("metric", "nothing_there")]),
    ("GET", "format_query", [("query", "sum(rate(requests_total[5m]))by(code)/1000")]),
    ("POST", "format_query", [("query", "a   +   b")]),
    ("GET", "format_query", [("query", "a +")]),
    ("GET", "rules", []),
    ("GET", "rules", [("type", "record")]),
    ("GET", "rules", [("type", "other")]),
    ("GET", "alerts", []),
    ("GET", "nothing", []),
]

# Prometheus 3 has other words than the 2.42 of Debian, or names one of several: the same kind of error.
SAME_ERROR = [
    ("GET", "query", [("query", "up"), ("time", "yesterday")]),
    ("GET", "query", [("query", "up * on () group_left () requests_total + on () up")]),
    ("GET", "query", [("query", "label_replace(up, \"\", \"\", \"a\", \"b\")")]),
    ("GET", "query_range", [("query", "up[5m]"), ("start", "5"), ("end", "10"), ("step", "1")]),
    ("GET", "series", [("match[]", "{")]),
    ("GET", "labels", [("start", "never")]),
]

# Of these, which must differ, only the shape: the keys and the kinds of what they hold.
ALIKE = [
    ("GET", "targets", []),
    ("GET", "targets", [("state", "active")]),
    ("GET", "status/buildinfo", []),
]


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(PAGE.encode())

    def log_message(self, *_):
        pass


def ask(address, method, path, params):
    url = f"http://{address}/api/v1/{path}"
    form = urllib.parse.urlencode(params)
    if method == "GET":
        request = urllib.request.Request(url + "?" + form)
    else:
        request = urllib.request.Request(url, form.encode())
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.headers["Content-Type"], response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def read(answer):
    """Status and document; the series of a result are in no promised order."""
    status, kind, body = answer
    if "json" not in kind:
        return status, body.strip()
    document = json.loads(body)
    data = document.get("data")
    result = data.get("result") if isinstance(data, dict) else data
    if isinstance(result, list) and result and isinstance(result[0], dict):
        result.sort(key=lambda series: json.dumps(series, sort_keys=True))
    return status, document


def error_of(answer):
    status, document = answer
    assert document["error"], document
    return status, document["status"], document["errorType"]


def is_shaped(value, like):
    """Whether `value` has all keys of `like`, which hold the same kinds of things."""
    if isinstance(like, dict) and isinstance(value, dict):
        return all(key in value and is_shaped(value[key], inner) for key, inner in like.items())
    if isinstance(like, list) and isinstance(value, list):
        return not like or (bool(value) and is_shaped(value[0], like[0]))
    return isinstance(value, type(like)) or isinstance(like, (int, float)) and isinstance(value, (int, float))


def questions(now):
    for query in INSTANT:
        yield "GET", "query", [("query", query), ("time", str(now))]
        yield "POST", "query", [("query", query), ("time", str(now)), ("timeout", "5s")]
    for query in RANGE:
        for method in ("GET", "POST"):
            yield method, "query_range", [("query", query), ("start", str(now - 3)), ("end", str(now)),
                                          ("step", "1")]
    yield from SAME


def compare(tocsin, prometheus):
    now = int(time.time())
    cases = [(question, lambda got, wanted: got == wanted) for question in questions(now)]
    cases += [(question, lambda got, wanted: error_of(got) == error_of(wanted)) for question in SAME_ERROR]
    cases += [(question, lambda got, wanted: got[0] == wanted[0] and is_shaped(got[1], wanted[1]))
              for question in ALIKE]
    different = 0
    for question, is_alike in cases:
        wanted, got = (read(ask(side, *question)) for side in (prometheus, tocsin))
        if not is_alike(got, wanted):
            different += 1
            print(f"{question}\n  Prometheus: {wanted}\n  Tocsin:     {got}")
    assert different == 0, f"{different} of {len(cases)} answers differ"
    print(f"{len(cases)} questions, the same answers")


# Takes minutes.
LONG = "sum_over_time(sum by (code) (requests_total)[3h:1ms])"


def time_out(tocsin, prometheus):
    for side in (prometheus, tocsin):
        status, document = read(ask(side, "GET", "query", [("query", LONG), ("timeout", "200ms")]))
        assert (status, document["errorType"]) == (503, "timeout"), (side, status, document)
        print(f"{status} {document['errorType']}: {document['error']}")


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def go_away(tocsin, process):
    """Clients that do not wait for their answers: the work stops."""
    host, port = tocsin.split(":")
    target = "/api/v1/query?" + urllib.parse.urlencode({"query": LONG})
    clients = [socket.create_connection((host, int(port))) for _ in range(25)]
    for client in clients:
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: {tocsin}\r\n\r\n".encode())
    before = cpu_seconds(process)
    wait_until("the queries run", lambda: cpu_seconds(process) > before + 0.3)
    for client in clients:
        client.close()
    time.sleep(0.5)
    before = cpu_seconds(process)
    time.sleep(1)
    used = cpu_seconds(process) - before
    assert used < 0.3, f"{used} s of work for nobody"
    status, _ = read(ask(tocsin, "GET", "query", [("query", "up")]))
    assert status == 200, status
    print(f"after 25 clients went away: {used:.2f} s of CPU a second")


def main(binary):
    need("prometheus")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = CONFIG.format(page=f"127.0.0.1:{server.server_port}")
    with Lab(binary) as lab:
        prometheus = lab.start_prometheus(config)
        tocsin = lab.start_tocsin("tocsin", config + KEEP)
        for side in (prometheus, tocsin):
            wait_until("there are five seconds of samples", lambda: get_json(
                f"http://{side}/api/v1/query?" + urllib.parse.urlencode(
                    {"query": "count_over_time(up[1m]) > 9"}))["data"]["result"])
        compare(tocsin, prometheus)
        time_out(tocsin, prometheus)
        go_away(tocsin, next(process for name, process, _ in lab.processes if name == "tocsin"))


if __name__ == "__main__":
    main(sys.argv[1])
