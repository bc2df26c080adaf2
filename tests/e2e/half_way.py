#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A restart half-way through `for`, once in an orderly way and once by kill -9: the alert fires when it would
have. Tocsin and Prometheus, over the same page, as they do it.

half_way.py TOCSIN [seconds of `for`]"""

import signal
import sys
import time

from fakes import Receiver, Target
from harness import Lab, free_port, get, need, wait_until

ENGINE = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
rule_files: [rules.yaml]
scrape_configs: [{{job_name: toy, static_configs: [{{targets: ['{target}']}}]}}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}
"""
RULES = "groups: [{{name: g, rules: [{{alert: Fault, expr: 'fault > 0', for: {seconds}s}}]}}]\n"
HOW = {"a restart": signal.SIGTERM, "kill -9": signal.SIGKILL}


class Run:
    """One engine, which is restarted in one way, and what its Alertmanager hears."""

    def __init__(self, lab, engine, how, target):
        self.lab, self.engine, self.how, self.starts = lab, engine, how, 0
        self.name = f"{engine}-{HOW[how].name}"
        self.alertmanager = Receiver()
        self.address = f"127.0.0.1:{free_port()}"
        config = ENGINE.format(target=target.address, alertmanager=self.alertmanager.address)
        if engine == "tocsin":
            config += f"storage: {{path: {self.name}-state}}\nweb: {{listen: '{self.address}'}}\n"
        file = lab.write(self.name + ".yaml", config)
        self.command = (lab.tocsin, "run", "--config", file) if engine == "tocsin" else (
            "prometheus", f"--config.file={file}", f"--storage.tsdb.path={lab.path(self.name + '-tsdb')}",
            f"--web.listen-address={self.address}")
        self.start()

    def start(self):
        self.starts += 1
        self.process = self.lab.start(f"{self.name}-{self.starts}", *self.command)
        wait_until(f"{self.name} is ready", lambda: get(f"http://{self.address}/-/ready"))

    def restart(self):
        self.lab.stop(self.process, HOW[self.how])
        self.start()

    def fired(self):
        return next((at for at, _ in self.alertmanager.taken()), None)


def main(tocsin, seconds=12):
    need("prometheus")
    target = Target({'fault{x="1"}': 0})
    with Lab(tocsin) as lab:
        lab.write("rules.yaml", RULES.format(seconds=seconds))
        runs = [Run(lab, engine, how, target) for engine in ("tocsin", "prometheus") for how in HOW]
        time.sleep(2)
        target.series['fault{x="1"}'] = 1
        due = time.time() + seconds
        time.sleep(seconds / 2)
        for run in runs:
            assert run.fired() is None
            run.restart()
        for run in runs:
            late = wait_until(f"{run.name}: it fires", run.fired, seconds * 2 + 30) - due
            print(f"{run.how} half-way through `for: {seconds}s`, {run.engine}: fires {late:.1f} s after it was due")
            assert run.engine != "tocsin" or -0.5 < late < 4, late


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
