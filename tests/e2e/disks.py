#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that fills while Tocsin runs, and a state that is damaged when it starts: alerts go out all the
same, the page and the metrics say what is wrong, and when there is space again, it is written."""

import glob
import os
import subprocess
import sys
import time

from fakes import Receiver, Target
from harness import Lab, get, wait_until

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
rule_files: [rules.yaml]
scrape_configs: [{{job_name: toy, static_configs: [{{targets: ['{target}']}}]}}]
route: {{receiver: chat, group_by: ['...'], group_wait: 100ms, group_interval: 500ms}}
receivers: [{{name: chat, webhook_configs: [{{url: 'http://{webhook}/'}}]}}]
storage: {{path: {state}}}
"""
# After a restart an alert is over once the rule has seen as much as it looks back.
RULES = "groups: [{name: g, rules: [{alert: Fault, expr: 'last_over_time(fault[3s]) > 0'}]}]\n"


class World:
    def __init__(self, lab, state="state"):
        self.lab = lab
        self.target, self.webhook = Target({'fault{x="kept"}': 1}), Receiver()
        lab.write("rules.yaml", RULES)
        self.config = CONFIG.format(target=self.target.address, webhook=self.webhook.address, state=state)
        self.starts = 0
        self.start()

    def start(self):
        self.starts += 1
        self.server = self.lab.start_tocsin(f"tocsin-{self.starts}", self.config)
        self.process = self.lab.processes[-1][1]

    def metrics(self):
        return get(f"http://{self.server}/metrics")

    def page(self):
        return get(f"http://{self.server}/")

    def fire(self, x, value=1):
        self.target.series[f'fault{{x="{x}"}}'] = value

    def wait_for(self, x, states):
        try:
            wait_until(f"{x} is told {states}", lambda: self.webhook.story("x").get(x) == states, 20)
        except AssertionError as error:
            raise AssertionError(f"{error}; it was told {self.webhook.story('x').get(x)}") from None


def fill(folder):
    """Leaves no byte of the disk."""
    with open(os.path.join(folder, "ballast"), "wb", buffering=0) as out:
        try:
            while True:
                out.write(b"\0" * 4096)
        except OSError:
            return out.name


def a_disk_that_fills(lab):
    folder = lab.path("disk")
    os.mkdir(folder)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], capture_output=True).returncode:
        return "skipped: this user may not mount"
    try:
        world = World(lab, folder)
        world.wait_for("kept", ["firing"])
        ballast = fill(folder)
        for i in range(30):  # More than what the file has left inside.
            world.fire(f"full-{i}")
        began = time.time()
        for i in range(30):
            world.wait_for(f"full-{i}", ["firing"])
        took = time.time() - began
        wait_until("the metrics say so", lambda: "\ntocsin_state_writable 0" in world.metrics(), 20)
        assert "State cannot be written to disk" in world.page()
        os.remove(ballast)
        world.fire("after")
        world.wait_for("after", ["firing"])
        wait_until("it is written again", lambda: "\ntocsin_state_writable 1" in world.metrics(), 90)
        # What could not be written at the time has been written since: a restart tells nothing twice.
        lab.stop(world.process, 9)
        world.start()
        time.sleep(4)
        for x in list(world.target.series):
            world.target.series[x] = 0
        for x in ["kept", "after"] + [f"full-{i}" for i in range(30)]:
            world.wait_for(x, ["firing", "resolved"])
        return (f"30 alerts told in {took:.1f} s with a full disk, page and metrics say so; written when there was "
                "space, and after kill -9 none was lost or told twice")
    finally:
        for _, process, _ in lab.processes:
            lab.stop(process)
        subprocess.run(["umount", folder], check=False)


def zero_bytes(data):
    return b""


def cut(data):
    return data[:len(data) // 2]


def garbage(data):
    return bytes((i * 197 + 31) % 256 for i in range(len(data)))


def torn(data):
    """Sound at first sight: a page in the middle is another."""
    half = len(data) // 2 // 4096 * 4096
    return data[:half] + b"\xa5" * 4096 + data[half + 4096:]


def a_damaged_state(lab, damage):
    world = World(lab)
    world.wait_for("kept", ["firing"])
    lab.stop(world.process)
    database = lab.path("state/tocsin.db")
    with open(database, "rb") as file:
        data = file.read()
    for beside in glob.glob(database + "-*"):
        os.remove(beside)
    with open(database, "wb") as file:
        file.write(damage(data))
    world.fire("new")
    world.start()
    wait_until("the new alert is told", lambda: "new" in world.webhook.story("x"), 20)
    kept = [os.path.basename(f) for f in glob.glob(database + ".damaged-*")]
    told = f"\ntocsin_state_set_aside {int(bool(kept))}"
    assert told in world.metrics(), told
    assert bool(kept) == ("State was damaged" in world.page())
    if damage is not zero_bytes:
        log = lab.log(f"tocsin-{world.starts}")
        assert "damaged" in log or "cannot be read" in log, log
    world.target.series = {name: 0 for name in world.target.series}
    for x in ("kept", "new"):
        wait_until(f"{x} is over", lambda x=x: world.webhook.story("x")[x][-1] == "resolved", 20)
    return (f"{'set aside' if kept else 'taken as new'}, started, told of the new alert; "
            f"the old one was told {world.webhook.story('x')['kept']}")


def main(tocsin):
    parts = [("a disk that fills", a_disk_that_fills)]
    parts += [(f"state damaged ({damage.__name__.replace('_', ' ')})", lambda lab, d=damage: a_damaged_state(lab, d))
              for damage in (zero_bytes, cut, garbage, torn)]
    for name, part in parts:
        with Lab(tocsin) as lab:
            print(f"{name}: {part(lab)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
