#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that fills while Tocsin runs, and a state that is damaged when it starts: alerts go out all the
same, the page and the metrics say what is wrong, and when there is space again, it is written. What a
Prometheus does, with an Alertmanager whose own disk is well, is told."""

import concurrent.futures
import contextlib
import glob
import os
import shutil
import subprocess
import sys
import time

from alertmanager_down import Place
from fakes import Receiver, Target
from harness import Lab, free_port, get, wait_until

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


PROMETHEUS = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
rule_files: [rules.yaml]
scrape_configs: [{{job_name: toy, static_configs: [{{targets: ['{target}']}}]}}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}
"""


class PrometheusWorld:
    def __init__(self, lab, storage="tsdb"):
        self.lab, self.storage, self.starts = lab, lab.path(storage), 0
        self.target, self.place = Target({'fault{x="kept"}': 1}), Place(lab, "prometheus")
        lab.write("rules.yaml", RULES)
        self.config = lab.write("prometheus.yml", PROMETHEUS.format(
            target=self.target.address, alertmanager=self.place.address))
        self.start()
        wait_until("it is told", lambda: self.told("kept") == ["firing"], 30)

    def start(self):
        """Whether it becomes ready."""
        self.starts += 1
        address = f"127.0.0.1:{free_port()}"
        self.process = self.lab.start(
            f"prometheus-{self.starts}", "prometheus", f"--config.file={self.config}", "--rules.alert.resend-delay=2s",
            f"--storage.tsdb.path={self.storage}", f"--web.listen-address={address}")

        def state():
            return "exited" if self.process.poll() is not None else get(f"http://{address}/-/ready")
        return wait_until("Prometheus is ready, or gives up", state, 30) != "exited"

    def told(self, x):
        return self.place.story().get(x, [])

    def fire(self, x):
        self.target.series[f'fault{{x="{x}"}}'] = 1


@contextlib.contextmanager
def small_disk(lab, size):
    """A folder on a disk of its own; None where this user may not mount."""
    folder = lab.path("disk")
    os.mkdir(folder)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], capture_output=True).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        for _, process, _ in lab.processes:
            lab.stop(process)
        subprocess.run(["umount", folder], check=False)


def fill(folder):
    """Leaves no byte of the disk."""
    with open(os.path.join(folder, "ballast"), "wb", buffering=0) as out:
        try:
            while True:
                out.write(b"\0" * 4096)
        except OSError:
            return out.name


def a_disk_that_fills(lab):
    with small_disk(lab, "1m") as folder:
        if not folder:
            return "skipped: this user may not mount"
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


def a_disk_that_fills_in_prometheus(lab):
    with small_disk(lab, "16m") as folder:
        if not folder:
            return "skipped: this user may not mount"
        world = PrometheusWorld(lab, "disk/tsdb")
        ballast = fill(folder)

        def fate(seconds):
            """What becomes of the process, which is started again when it dies, as under a supervisor."""
            deaths, reasons, deadline = 0, set(), time.monotonic() + seconds
            while time.monotonic() < deadline:
                if world.process.poll() is not None:
                    deaths += 1
                    reasons.add("SIGBUS" if "SIGBUS" in lab.log(f"prometheus-{world.starts}") else "an error")
                    time.sleep(2)
                    world.start()
                time.sleep(0.2)
            return f"dies {deaths} times of {' and '.join(sorted(reasons))}" if deaths else "lives"

        for i in range(30):
            world.fire(f"full-{i}")
        during = fate(20)
        new, kept = sum("firing" in world.told(f"full-{i}") for i in range(30)), world.told("kept")
        os.remove(ballast)
        world.fire("after")
        after = fate(30)
        known = sum("firing" in world.told(x) for x in ["after"] + [f"full-{i}" for i in range(30)])
        wrong = sum(states[-1] == "resolved" for states in world.place.story().values())
        return (f"with a full disk for 20 s it {during}; of 30 new alerts {new} are told, of the one that fired "
                f"{' and '.join(kept)}; with space again it {after}, and after 30 s {known} of 31 are told and {wrong} that "
                "fire are said to be resolved")


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


def add_block(tsdb):
    """An hour of another metric, long ago."""
    text = tsdb + ".om"
    now = int(time.time()) // 7200 * 7200 - 86400
    with open(text, "w") as out:
        out.writelines(f"old {n} {now + 60 * n}\n" for n in range(60))
        out.write("# EOF\n")
    subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", text, tsdb], check=True, capture_output=True)


def a_damaged_tsdb(lab, damage, files):
    """`files`: a pattern below the folder of the TSDB."""
    world = PrometheusWorld(lab)
    lab.stop(world.process)
    add_block(world.storage)
    damaged = glob.glob(os.path.join(world.storage, files))
    assert damaged, files
    for name in damaged:
        with open(name, "rb") as file:
            data = file.read()
        with open(name, "wb") as file:
            file.write(damage(data))
    world.fire("new")
    if not world.start():
        reason = world.lab.log(f"prometheus-{world.starts}").strip().splitlines()[-1]
        return f"does not start: {reason[reason.find('err='):][:160]}"
    with contextlib.suppress(AssertionError):
        wait_until("the new alert is told", lambda: world.told("new"), 20)
    return f"started; of the new alert was told {world.told('new')}, of the old one {world.told('kept')}"


def main(tocsin):
    damages = (zero_bytes, cut, garbage, torn)
    parts = [("a disk that fills", a_disk_that_fills)]
    parts += [(f"state damaged ({damage.__name__.replace('_', ' ')})", lambda lab, d=damage: a_damaged_state(lab, d))
              for damage in damages]
    if shutil.which("prometheus") and shutil.which("prometheus-alertmanager"):
        parts.append(("a disk that fills, Prometheus", a_disk_that_fills_in_prometheus))
        parts += [(f"{what} damaged ({damage.__name__.replace('_', ' ')}), Prometheus",
                   lambda lab, d=damage, f=files: a_damaged_tsdb(lab, d, f))
                  for what, files in (("log", "wal/0*"), ("block", "01*/index")) for damage in damages]
    else:
        print("skipped beside Prometheus: prometheus and prometheus-alertmanager are not installed")

    def run(named):
        name, part = named
        with Lab(tocsin) as lab:
            print(f"{name}: {part(lab)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:  # They mostly wait.
        list(pool.map(run, parts))


if __name__ == "__main__":
    main(sys.argv[1])
