#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A rule that begins to fail while its alert fires, and a target that does not answer for a while (a
second argument: so many seconds): the same in Tocsin and in Prometheus, over the same page, into a real
Alertmanager each. In Tocsin the alert must stay until fresh data says that it is over; what Prometheus
does is told."""

import http.server
import sys
import threading
import time

from harness import Lab, active_alerts, need, wait_until

# Longer than Alertmanager believes an alert of either: four times the resend delay.
LONG = 14

RULES = """
groups:
  - name: evidence
    rules:
      - {alert: Joined, expr: 'a * on (x) b > 0'}
      - {alert: Plain, expr: 'a > 0'}
"""

GLOBAL = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s{more}}}
rule_files: [rules.yaml]
scrape_configs: [{{job_name: toy, static_configs: [{{targets: ['{target}']}}]}}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}
"""


class Page(http.server.BaseHTTPRequestHandler):
    """What the target says, and whether it says anything."""

    text = ""
    answers = True

    def do_GET(self):
        self.send_response(200 if Page.answers else 500)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        if Page.answers:
            self.wfile.write(Page.text.encode())

    def log_message(self, *_):
        pass


SOUND = 'a{x="1"} 1\nb{x="1"} 1\n'
AMBIGUOUS = SOUND + 'b{x="1",y="2"} 1\n'  # Many-to-many: the join fails.
OVER = 'a{x="1"} 0\nb{x="1"} 1\n'


def names(alertmanager):
    return sorted(a["labels"]["alertname"] for a in active_alerts(alertmanager))


def starts(alertmanager):
    return {a["labels"]["alertname"]: a["startsAt"] for a in active_alerts(alertmanager)}


def lowest_for(seconds, alertmanagers):
    """The fewest alerts that each of the Alertmanagers had at any moment of the time."""
    least = {name: ["Joined", "Plain"] for name in alertmanagers}
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for name, address in alertmanagers.items():
            least[name] = min(least[name], names(address), key=len)
        time.sleep(0.2)
    return least


def main(tocsin, gap=LONG):
    need("prometheus", "prometheus-alertmanager")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    target = f"127.0.0.1:{server.server_port}"
    Page.text = SOUND
    with Lab(tocsin) as lab:
        lab.write("rules.yaml", RULES)
        alertmanagers = {engine: lab.start_alertmanager(engine) for engine in ("tocsin", "prometheus")}
        lab.start_tocsin("tocsin", GLOBAL.format(
            target=target, alertmanager=alertmanagers["tocsin"], more=", resend_delay: 2s"))
        lab.start_prometheus(GLOBAL.format(target=target, alertmanager=alertmanagers["prometheus"], more=""),
                             "--rules.alert.resend-delay=2s")
        for address in alertmanagers.values():
            wait_until("both alerts fire", lambda a=address: names(a) == ["Joined", "Plain"], 30)
        began = starts(alertmanagers["tocsin"])

        def act(what, change, back, seconds=LONG):
            change()
            least = lowest_for(seconds, alertmanagers)
            back()
            assert least["tocsin"] == ["Joined", "Plain"], (what, least)
            gone = sorted({"Joined", "Plain"} - set(least["prometheus"]))
            told = "resolved " + " and ".join(gone) if gone else "kept both"
            print(f"{what}, {seconds} s: Tocsin kept both alerts, Prometheus {told}")
            wait_until("both fire again", lambda: names(alertmanagers["prometheus"]) == ["Joined", "Plain"], 30)

        def say(text):
            Page.text = text

        def answer(whether):
            Page.answers = whether

        act("a rule fails", lambda: say(AMBIGUOUS), lambda: say(SOUND))
        act("the target answers 500", lambda: answer(False), lambda: answer(True), gap)
        assert starts(alertmanagers["tocsin"]) == began
        wait_until("nothing is blind any more", lambda: not any(
            "blind" in a["annotations"] for a in active_alerts(alertmanagers["tocsin"])), 10)

        Page.text = OVER
        for engine, address in alertmanagers.items():
            wait_until(f"{engine}: over when fresh data says so", lambda a=address: not names(a), 30)
        print("fresh data says that it is over: over in both")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
