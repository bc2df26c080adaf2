#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What people get wrong, and what breaks around the daemon: it says so, and keeps what was good."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request

from harness import Lab, active_alerts, free_port, get, get_json, need, wait_until

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
rule_files: [rules.yaml]
scrape_configs:
  - {{job_name: dead, static_configs: [{{targets: ['127.0.0.1:{dead}']}}]}}
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alertmanager}']}}]}}]}}
"""
GOOD = "groups: [{name: g, rules: [{alert: TargetDown, expr: up == 0}]}]\n"
BROKEN = "groups: [{name: g, rules: [{alert: TargetDown, expr: 'upp(', fro: 1m}]}]\n"


def post(url):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def a_broken_configuration_ends_with_every_error(lab):
    config = lab.write("broken.yaml", "global: {scrape_interval: 10x}\nrule_file: [a]\n")
    done = subprocess.run([lab.tocsin, "run", "--config", config], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1, done
    assert "broken.yaml:1:27: error" in done.stderr, done.stderr
    assert "did you mean 'rule_files'?" in done.stderr, done.stderr
    checked = subprocess.run([lab.tocsin, "check", config], capture_output=True, text=True, timeout=20)
    assert checked.returncode == 1 and "2 error(s)" in checked.stdout, checked


def a_broken_rule_does_not_stop_the_others(lab):
    lab.write("mixed.yaml", "groups: [{name: g, rules: [{alert: A, expr: 'vector(1)'}, {alert: B, expr: 'nope('}]}]\n")
    server = lab.start_tocsin("mixed-rules", "rule_files: [mixed.yaml]\nglobal: {evaluation_interval: 1s}\n")
    wait_until("the sound rule fires", lambda: get_json(f"http://{server}/api/v1/alerts")["data"]["alerts"])
    assert "nope" in get(f"http://{server}/"), "the page shows the broken rule"


def what_breaks_around_it(lab):
    alertmanager = free_port()
    lab.write("rules.yaml", GOOD)
    server = lab.start_tocsin("tocsin", CONFIG.format(dead=free_port(), alertmanager=alertmanager))
    process = lab.processes[-1][1]
    wait_until("the alert fires", lambda: get_json(f"http://{server}/api/v1/alerts")["data"]["alerts"])

    target = get_json(f"http://{server}/api/v1/targets")["data"]["activeTargets"][0]
    assert target["health"] == "down" and target["lastError"], target
    wait_until("the Alertmanager that is not there is counted",
               lambda: "tocsin_notifications_failed_total" in get(f"http://{server}/metrics"))
    assert lab.log("tocsin").count("cannot deliver") == 1, "said once, not at every attempt"

    lab.write("rules.yaml", BROKEN)
    status, text = post(f"http://{server}/-/reload")
    assert status == 500, (status, text)
    assert "rules.yaml:1:" in text and "unknown key 'fro'" in text, text
    assert get_json(f"http://{server}/api/v1/rules")["data"]["groups"][0]["rules"][0]["query"] == "up == 0"
    assert "tocsin_config_last_reload_successful 0" in get(f"http://{server}/metrics")
    assert get(f"http://{server}/-/ready")

    lab.write("rules.yaml", GOOD.replace("up == 0", "up < 1"))
    process.send_signal(signal.SIGHUP)
    wait_until("the mended rules are loaded",
               lambda: get_json(f"http://{server}/api/v1/rules")["data"]["groups"][0]["rules"][0]["query"] == "up < 1")

    lab.start("alertmanager", "prometheus-alertmanager",
              f"--config.file={lab.write('am.yml', 'route: {receiver: x}' + chr(10) + 'receivers: [{name: x}]' + chr(10))}",
              f"--storage.path={lab.path('am')}", f"--web.listen-address=127.0.0.1:{alertmanager}",
              "--cluster.listen-address=")
    wait_until("the Alertmanager that came late is told", lambda: active_alerts(f"127.0.0.1:{alertmanager}"), 30)
    assert lab.stop(process) == 0, "SIGTERM ends it with 0"


def main(tocsin):
    need("prometheus-alertmanager")
    for part in (a_broken_configuration_ends_with_every_error, a_broken_rule_does_not_stop_the_others,
                 what_breaks_around_it):
        with Lab(tocsin) as lab:
            part(lab)
            print("ok: " + part.__name__.replace("_", " "))


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
