#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How rules come in: a clone that is pulled, a ConfigMap whose ..data is swapped, git-sync's link, an
editor that writes slowly, a set of which one file is broken. Each time the daemon loads the whole new
set and nothing else, within seconds, and says which revision runs."""

import os
import pathlib
import subprocess
import sys
import time

from fakes import Receiver, Target
from harness import Lab, free_port, get, get_json, need, wait_until

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
rule_files: ['{rules}/*.yaml']
scrape_configs: [{{job_name: toy, static_configs: [{{targets: ['{target}']}}]}}]
route: {{receiver: chat, group_by: ['...'], group_wait: 100ms, group_interval: 1s}}
receivers: [{{name: chat, webhook_configs: [{{url: 'http://{chat}/'}}]}}]
web: {{listen: '127.0.0.1:{port}'}}
"""
RULES = """
groups:
  - name: {group}
    rules:
      - alert: {alert}
        expr: fault > {threshold}
"""
SOON = 8  # Seconds within which a change is loaded; the kernel says that it is there.


def git(folder, *arguments):
    done = subprocess.run(["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org",
                           *arguments], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


class Daemon:
    def __init__(self, lab, name, folder, target, chat):
        self.port = free_port()
        self.lab, self.name = lab, name
        config = lab.write(f"{name}.yaml", CONFIG.format(rules=folder, target=target.address,
                                                         chat=chat.address, port=self.port))
        self.process = lab.start(name, lab.tocsin, "run", "--config", config)
        wait_until("it is ready", lambda: get(f"http://127.0.0.1:{self.port}/-/ready"))

    def rules(self):
        groups = get_json(f"http://127.0.0.1:{self.port}/api/v1/rules")["data"]["groups"]
        return {rule["name"]: rule for group in groups for rule in group["rules"]}

    def thresholds(self):
        return {name: rule["query"].split()[-1] for name, rule in self.rules().items()}

    def expect(self, what, thresholds):
        began = time.monotonic()
        wait_until(what, lambda: self.thresholds() == thresholds, SOON)
        return time.monotonic() - began

    def reloads(self):
        return pathlib.Path(self.lab.path(f"{self.name}.log")).read_text().count("configuration reloaded")

    def stop(self):
        Lab.stop(self.process)


def write_rules(folder, **thresholds):
    for name, threshold in thresholds.items():
        (folder / f"{name}.yaml").write_text(RULES.format(group=name, alert=name, threshold=threshold))


def pulled_clone(lab, target, chat):
    """Beside it, a checkout by hand that takes its time is loaded once it is through."""
    folder = pathlib.Path(lab.path("clone"))
    folder.mkdir()
    write_rules(folder, A=1, B=1)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    daemon = Daemon(lab, "clone-daemon", folder, target, chat)
    first = git(folder, "rev-parse", "HEAD")
    rule = daemon.rules()["A"]
    assert rule["revision"] == first and rule["line"] == 5, rule
    wait_until("the alert is told", lambda: chat.alerts("alertname").get("A"), 30)
    annotations = chat.alerts("alertname")["A"]["annotations"]
    assert annotations["rule_revision"] == first, annotations
    assert annotations["rule_file"].endswith("/A.yaml:5"), annotations

    write_rules(folder, A=2, B=2)
    git(folder, "commit", "-qam", "two")
    took = daemon.expect("the new commit runs", {"A": "2", "B": "2"})
    second = git(folder, "rev-parse", "HEAD")
    assert daemon.rules()["B"]["revision"] == second != first
    assert f'tocsin_rules_revision_info{{revision="{second}"}} 1' in get(f"http://127.0.0.1:{daemon.port}/metrics")
    assert second[:12] in get(f"http://127.0.0.1:{daemon.port}/")

    # Git is at work: one file is new, the other not yet.
    lock = folder / ".git" / "index.lock"
    lock.write_text("")
    write_rules(folder, A=3)
    time.sleep(4)
    assert daemon.thresholds() == {"A": "2", "B": "2"}, daemon.thresholds()
    write_rules(folder, B=3)
    lock.unlink()
    daemon.expect("the checkout is through", {"A": "3", "B": "3"})
    assert daemon.reloads() == 2, daemon.reloads()
    daemon.stop()
    return took


def configmap(lab, target, chat):
    """As kubelet writes it: files are links into ..data, which is a link that is renamed over."""
    folder = pathlib.Path(lab.path("configmap"))
    folder.mkdir()

    def publish(number, **thresholds):
        data = folder / f"..{number}"
        data.mkdir()
        write_rules(data, **thresholds)
        (folder / "..data_tmp").symlink_to(data.name)
        os.rename(folder / "..data_tmp", folder / "..data")

    publish(1, A=1, B=1)
    for name in ("A", "B"):
        (folder / f"{name}.yaml").symlink_to(f"..data/{name}.yaml")
    daemon = Daemon(lab, "configmap-daemon", folder, target, chat)
    publish(2, A=2, B=2)
    took = daemon.expect("the new ..data runs", {"A": "2", "B": "2"})
    # A second swap: the watches followed the first.
    publish(3, A=3, B=3)
    daemon.expect("the newest ..data runs", {"A": "3", "B": "3"})
    assert daemon.reloads() == 2, daemon.reloads()
    daemon.stop()
    return took


def git_sync(lab, target, chat):
    """A link to a worktree that is swapped for the next one."""
    repository = pathlib.Path(lab.path("repository"))
    (repository / "rules").mkdir(parents=True)
    write_rules(repository / "rules", A=1)
    git(repository, "init", "-q", "-b", "main")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "one")
    root = pathlib.Path(lab.path("git-sync"))
    root.mkdir()

    def sync():
        commit = git(repository, "rev-parse", "HEAD")
        git(repository, "worktree", "add", "-q", "--detach", str(root / commit), commit)
        (root / "next").symlink_to(commit)
        os.rename(root / "next", root / "current")
        return commit

    sync()
    daemon = Daemon(lab, "git-sync-daemon", root / "current" / "rules", target, chat)
    write_rules(repository / "rules", A=2)
    git(repository, "commit", "-qam", "two")
    commit = sync()
    took = daemon.expect("the next worktree runs", {"A": "2"})
    assert daemon.rules()["A"]["revision"] == commit, daemon.rules()["A"]
    daemon.stop()
    return took


def half_a_set(lab, target, chat):
    """Files that are written one after the other are loaded together; a broken one keeps all out."""
    folder = pathlib.Path(lab.path("plain"))
    folder.mkdir()
    (folder / ".revision").write_text("release-7\n")
    write_rules(folder, A=1, B=1, C=1)
    daemon = Daemon(lab, "plain-daemon", folder, target, chat)
    assert daemon.rules()["A"]["revision"] == "release-7"
    for name in ("A", "B", "C"):
        write_rules(folder, **{name: 2})
        time.sleep(0.3)
    daemon.expect("all three run", {"A": "2", "B": "2", "C": "2"})
    assert daemon.reloads() == 1, daemon.reloads()

    (folder / "B.yaml").write_text("groups: [{name: B, rules: [{alert: B, expr: 'fault >'}]}]\n")
    write_rules(folder, A=3)
    wait_until("the page says what is wrong",
               lambda: "B.yaml" in get(f"http://127.0.0.1:{daemon.port}/"), SOON)
    assert daemon.thresholds() == {"A": "2", "B": "2", "C": "2"}
    write_rules(folder, B=3)
    daemon.expect("the mended set runs", {"A": "3", "B": "3", "C": "2"})
    daemon.stop()


def main(tocsin):
    need("git")
    target, chat = Target({'fault{x="1"}': 9}), Receiver()
    with Lab(tocsin) as lab:
        clone = pulled_clone(lab, target, chat)
        swap = configmap(lab, target, chat)
        sync = git_sync(lab, target, chat)
        half_a_set(lab, target, chat)
        print(f"a pulled clone runs after {clone:.1f} s, a swapped ConfigMap after {swap:.1f} s, "
              f"git-sync's next worktree after {sync:.1f} s; half a set never")


if __name__ == "__main__":
    main(sys.argv[1])
