#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 in the middle of every write, sync and cut of the files of the state, one after the other, in a
short life of the whole daemon: an alert is pending, fires, is told, is over, is told; another one is
silenced; the rules are reloaded; in the end the daemon is stopped in an orderly way. The process that is killed
is started again at once, and the life goes on.

What a user sees must be as if nothing had been:

- The webhook has been told of the alert's beginning once and of its end once. A message whose
  acknowledgement had not been written may come again, with the same Idempotency-Key and the same content.
- The beginning and the end tell of the same startsAt, and no end is told before the alert is over.
- `activeAt`, once somebody has seen it (pending or firing), stays what it is: `for` does not begin anew.
- A silence that was acknowledged is there, and of what it silences nobody is told.
- A reload that was acknowledged has been done.

kill_at_write.py TOCSIN LIBRARY [first last]   LIBRARY: libkill_at_write.so; the writes to die at, all"""

import concurrent.futures
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import datetime, timedelta, timezone

from fakes import Receiver, Target
from harness import Lab, free_port, get_json, wait_until

AT_ONCE = 4  # Lives.

CONFIG = """
global: {{scrape_interval: 250ms, scrape_timeout: 200ms, evaluation_interval: 250ms}}
rule_files: [rules.yaml]
scrape_configs: [{{job_name: toy, static_configs: [{{targets: ['{target}']}}]}}]
route: {{receiver: chat, group_by: ['...'], group_wait: 100ms, group_interval: 300ms}}
receivers: [{{name: chat, webhook_configs: [{{url: 'http://{webhook}/'}}]}}]
storage: {{path: state}}
silences: {{enabled: true}}
web: {{listen: '{listen}'}}
"""
# After a restart an alert is over once the rule has seen as much as it looks back.
RULES = """
groups:
  - name: g
    rules:
      - {alert: Fault, expr: 'last_over_time(fault[1s]) > 0', for: 1s}
"""
MORE_RULES = RULES + "      - {alert: Other, expr: 'other > 0'}\n"


class Life:
    def __init__(self, lab, library, at):
        self.lab, self.at, self.starts, self.deaths = lab, at, 0, 0
        self.target, self.webhook = Target({'fault{x="loud"}': 0, 'fault{x="quiet"}': 0}), Receiver()
        self.listen = f"127.0.0.1:{free_port()}"
        self.active_at = set()
        self.ended = None  # When the fault was over.
        lab.write("rules.yaml", RULES)
        lab.write("tocsin.yaml", CONFIG.format(
            target=self.target.address, webhook=self.webhook.address, listen=self.listen))
        self.start(f"LD_PRELOAD={library}", f"TOCSIN_KILL_FOLDER={lab.path('state')}", f"TOCSIN_KILL_AT={at}",
                   f"TOCSIN_KILL_COUNT={lab.path('count')}")

    def start(self, *environment):
        self.starts += 1
        self.process = self.lab.start(f"tocsin-{self.starts}", "env", *environment, self.lab.tocsin, "run",
                                      "--config", self.lab.path("tocsin.yaml"))

    def revive(self):
        if self.process.poll() is None:
            return
        assert self.process.returncode == -signal.SIGKILL and self.deaths == 0, self.process.returncode
        self.deaths += 1
        self.start()

    def restart(self):
        if self.process.poll() is None:
            self.deaths += self.lab.stop(self.process) == -signal.SIGKILL
            self.start()

    def until(self, what, condition):
        """Keeps the process alive meanwhile, and looks at what a user sees."""
        def look():
            self.revive()
            self.see()
            return condition()
        wait_until(f"{what} (killed at {self.at})", look, 20)

    def see(self):
        for alert in get_json(f"http://{self.listen}/api/v1/alerts")["data"]["alerts"]:
            if alert["labels"].get("x") == "loud":
                self.active_at.add(alert["activeAt"])

    def post(self, path, body=None):
        """The answer, or None where the process died before it gave one."""
        try:
            request = urllib.request.Request(f"http://{self.listen}{path}", json.dumps(body).encode(),
                                             {"Content-Type": "application/json"}, method="POST")
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.read().decode() or "done"
        except (OSError, http.client.HTTPException):
            return None

    def silence(self):
        now = datetime.now(timezone.utc)
        answer = self.post("/api/v2/silences", {
            "matchers": [{"name": "x", "value": "quiet", "isRegex": False, "isEqual": True}], "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(), "createdBy": "me", "comment": "for now"})
        self.silence_id = answer and json.loads(answer)["silenceID"]
        return self.silence_id

    def silences(self):
        return [s["id"] for s in get_json(f"http://{self.listen}/api/v2/silences")]

    def rules(self):
        groups = get_json(f"http://{self.listen}/api/v1/rules")["data"]["groups"]
        return [rule["name"] for group in groups for rule in group["rules"]]

    def set_all(self, value):
        self.target.series = {name: value for name in self.target.series}

    def heard(self):
        return self.webhook.story("x").get("loud", [])

    def live(self):
        self.until("it answers", lambda: True)
        self.until("a silence is made", self.silence)
        self.set_all(1)
        self.until("it is pending", lambda: self.active_at)
        self.until("its beginning is told", lambda: "firing" in self.heard())
        self.lab.write("rules.yaml", MORE_RULES)
        self.until("the rules are reloaded", lambda: self.post("/-/reload"))
        self.until("the new rules run", lambda: self.rules() == ["Fault", "Other"])
        self.ended = time.time()
        self.set_all(0)
        self.until("its end is told", lambda: "resolved" in self.heard())
        self.pass_time(0.5)
        self.restart()
        self.pass_time(1.0)  # What comes twice comes soon.
        self.check()

    def pass_time(self, seconds):
        until = time.monotonic() + seconds
        self.until("time passes", lambda: time.monotonic() > until)

    def check(self):
        messages, repeated = {}, 0
        for request in self.webhook.requests:
            first = messages.setdefault(request["key"], request)
            repeated += first is not request
            assert first["body"] == request["body"], "the same key, another message"
        alerts = [(request["at"], alert) for request in messages.values() for alert in request["body"]["alerts"]]
        told = [(alert["labels"]["x"], alert["status"]) for _, alert in alerts]
        assert told == [("loud", "firing"), ("loud", "resolved")], told
        assert len({alert["startsAt"] for _, alert in alerts}) == 1, alerts
        assert alerts[1][0] >= self.ended, "told that it is over before it was"
        assert len(self.active_at) == 1, self.active_at
        assert self.silence_id in self.silences(), self.silences()
        assert self.rules() == ["Fault", "Other"], self.rules()
        self.repeated = repeated


def one_life(tocsin, library, at):
    """Whether the process was killed, how many messages came again, how many writes there were until then."""
    with Lab(tocsin) as lab:
        life = Life(lab, library, at)
        try:
            life.live()
        except AssertionError as error:
            raise AssertionError(f"killed at write {at}: {error}") from error
        return life.deaths == 1, life.repeated, os.path.getsize(lab.path("count"))


def main(tocsin, library, first=1, last=None):
    library = os.path.abspath(library)
    killed, repeated, count = one_life(tocsin, library, 0)
    assert not killed and not repeated and count > 20, (killed, repeated, count)
    last = last or count
    print(f"{count} writes, syncs and cuts in a life that nobody ends", flush=True)
    began, failures, results = time.monotonic(), [], []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        lives = {at: pool.submit(one_life, tocsin, library, at) for at in range(first, last + 1)}
        for at, life in lives.items():
            try:
                results.append(life.result())
            except AssertionError as error:
                failures.append(error)
                print(error, flush=True)
    kills = sum(killed for killed, _, _ in results)
    print(f"{len(lives)} lives in {time.monotonic() - began:.0f} s, {kills} of them killed in the middle of a write: "
          f"{len(failures)} with a loss; {sum(again for _, again, _ in results)} messages came again under their old key")
    assert not failures, failures
    assert kills >= 0.9 * len(lives), "nearly nobody was killed"


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:]))
