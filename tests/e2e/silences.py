#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who is told and who is not: silences that amtool makes, lists and ends, that outlive kill -9, and an
alert that inhibits another; told by what a real webhook hears."""

import http.server
import json
import signal
import subprocess
import sys
import threading
import time

from harness import Lab, free_port, get, get_json, need, wait_until

RULES = """
groups:
  - name: silences
    rules:
      - {alert: Slow, expr: 'slow > 0', labels: {severity: warning}}
      - {alert: Wrong, expr: 'wrong > 0', labels: {severity: warning}}
      - {alert: Late, expr: 'late > 0', labels: {severity: info}}
      - {alert: Down, expr: 'down > 0', labels: {severity: critical}}
"""

CONFIG = """
global: {{scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 500ms, resend_delay: 1s}}
rule_files: [rules.yaml]
scrape_configs: [{{job_name: toy, static_configs: [{{targets: ['{target}']}}]}}]
route: {{receiver: chat, group_wait: 500ms, group_interval: 1s, group_by: [alertname]}}
inhibit_rules: [{{source_matchers: [severity=critical], target_matchers: [severity=info], equal: [x]}}]
receivers: [{{name: chat, webhook_configs: [{{url: 'http://{webhook}/'}}]}}]
storage: {{path: state}}
silences: {{enabled: true}}
web: {{listen: '127.0.0.1:{port}'}}
"""


class Page(http.server.BaseHTTPRequestHandler):
    """The target: what is on."""

    values = {"slow": 0, "wrong": 0, "late": 0, "down": 0}

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write("".join(f'{k}{{x="1"}} {v}\n' for k, v in self.values.items()).encode())

    def log_message(self, *_):
        pass


class Webhook(http.server.BaseHTTPRequestHandler):
    told = []  # "Slow firing", in the order of arrival.

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.told.extend(f"{a['labels']['alertname']} {a['status']}" for a in body["alerts"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def serve(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{server.server_port}"


def heard(what, limit=10):
    wait_until(f"the webhook hears: {what}", lambda: what in Webhook.told, limit)


def main(tocsin):
    need("amtool")
    target, webhook, port = serve(Page), serve(Webhook), free_port()
    url = f"http://127.0.0.1:{port}"

    def amtool(*arguments):
        done = subprocess.run(["amtool", f"--alertmanager.url={url}", *arguments], capture_output=True,
                              text=True, timeout=10)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout.strip()

    def muted():
        alerts = get_json(f"{url}/api/v1/alerts")["data"]["alerts"]
        return {a["labels"]["alertname"]: a["mutedBy"] for a in alerts if "mutedBy" in a}

    with Lab(tocsin) as lab:
        lab.write("rules.yaml", RULES)
        config = lab.write("tocsin.yaml", CONFIG.format(target=target, webhook=webhook, port=port))

        def start(name):
            process = lab.start(name, lab.tocsin, "run", "--config", config)
            wait_until(f"{name} is ready", lambda: get(f"{url}/-/ready"))
            return process

        first = start("first")
        silence = amtool("silence", "add", "alertname=Slow", "x=~[0-9]+", "-a", "alice", "-d", "1h", "-c",
                         "we know")
        other = amtool("silence", "add", "severity!=warning", "team=blog", "-d", "1h", "-c", "not ours")
        assert amtool("silence", "query", "-q", "alertname=Slow") == silence
        listed = json.loads(amtool("silence", "query", "-o", "json"))
        assert {s["id"] for s in listed} == {silence, other}, listed
        assert [s["comment"] for s in listed if s["id"] == silence] == ["we know"]
        print("amtool makes silences and finds them")

        Page.values.update(slow=1, wrong=1)
        heard("Wrong firing")
        wait_until("the API says who is silenced", lambda: muted() == {"Slow": "silence"})
        page = get(url + "/")
        assert "<b>Silenced</b>" in page and "by alice: we know" in page
        print("a silenced alert is on the page, and nobody is told of it")

        Lab.stop(first, signal.SIGKILL)
        start("second")
        wait_until("it fires still", lambda: muted() == {"Slow": "silence"})
        time.sleep(3)
        assert Webhook.told == ["Wrong firing"], Webhook.told
        print("kill -9 ends no silence, and nothing is told twice")

        amtool("silence", "expire", silence)
        heard("Slow firing")
        assert amtool("silence", "query", "-q") == other
        assert amtool("silence", "query", "-q", "--expired") == silence
        print("what still fires when its silence ends is told")

        Page.values.update(down=1)
        heard("Down firing")
        Page.values.update(late=1)
        wait_until("the API says who is inhibited", lambda: muted() == {"Late": "inhibition"})
        time.sleep(2)
        assert "Late firing" not in Webhook.told
        Page.values.update(down=0)
        heard("Late firing")
        heard("Down resolved")
        print("an alert is inhibited as long as another fires")

        assert sorted(Webhook.told) == sorted(
            ["Wrong firing", "Slow firing", "Down firing", "Down resolved", "Late firing"]), Webhook.told
        metrics = get(url + "/metrics")
        for reason in ("silence", "inhibition", "time_interval"):
            assert f'tocsin_notifications_suppressed_total{{reason="{reason}"}}' in metrics


if __name__ == "__main__":
    main(sys.argv[1])
