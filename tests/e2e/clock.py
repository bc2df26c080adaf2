#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The clock of the machine is set an hour ahead, back, and back again while one alert fires and another
is pending: nothing is resolved, nothing is told twice, what is pending fires in time, and what is over is told. So it
is while the files are broken, a reload has been refused, and the old configuration runs. What Prometheus does
by such a clock: clock_beside.py.

clock.py TOCSIN MOVED_CLOCK"""

import sys
import time

from fakes import Receiver, Target
from harness import ClockLab, free_port, get, wait_until

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s, resend_delay: 2s}}
rule_files: [rules.yaml]
scrape_configs: [{{job_name: toy, static_configs: [{{targets: ['{target}']}}]}}]
route: {{receiver: chat, group_by: ['...'], group_wait: 100ms, group_interval: 1s}}
receivers: [{{name: chat, webhook_configs: [{{url: 'http://{chat}/'}}]}}]
storage: {{path: state}}
web: {{listen: '127.0.0.1:{port}'}}
"""
RULES = """
groups:
  - name: clock
    rules:
      - {alert: Fault, expr: 'last_over_time(fault[3s]) > 0'}
      - {alert: Slow, expr: 'last_over_time(slow[3s]) > 0', for: 8s}
"""
# Seconds off, and what is broken meanwhile.
STEPS = ((3600, ""), (0, "rules"), (-3600, "configuration"), (0, ""))
PAUSE = 5


def main(tocsin, moved_clock):
    target, chat, port = Target({'fault{x="1"}': 1, 'slow{x="2"}': 0}), Receiver(), free_port()
    with ClockLab(tocsin, moved_clock) as lab:
        lab.write("rules.yaml", RULES)
        text = CONFIG.format(target=target.address, chat=chat.address, port=port)
        lab.start("tocsin", lab.tocsin, "run", "--config", lab.write("tocsin.yaml", text))
        wait_until("it is ready", lambda: get(f"http://127.0.0.1:{port}/-/ready"))
        wait_until("the alert is told", lambda: chat.story("x").get("1"), 30)
        target.series['slow{x="2"}'] = 1
        pending = time.time()
        wait_until("the other is pending", lambda: '"pending"' in get(f"http://127.0.0.1:{port}/api/v1/alerts"), 10)
        for step, broken in STEPS:
            lab.write("rules.yaml", RULES.replace(">", ">>") if broken == "rules" else RULES)
            lab.write("tocsin.yaml", "nonsense: [" if broken == "configuration" else text)
            refused = "tocsin_config_last_reload_successful " + ("0" if broken else "1")
            wait_until("it is reloaded", lambda: refused in get(f"http://127.0.0.1:{port}/metrics"))
            lab.set_clock(step)
            time.sleep(PAUSE)
            assert lab.is_seen_by(f"127.0.0.1:{port}"), step
            assert refused in get(f"http://127.0.0.1:{port}/metrics"), step
            assert chat.story("x")["1"] == ["firing"], (step, chat.story("x"))
        wait_until("what was pending is told", lambda: chat.story("x").get("2"), 30)
        told = next(at for at, alert in chat.taken() if alert["labels"]["x"] == "2")
        assert told > pending + 8, f"the clock counts as time that has passed: it fires after {told - pending:.1f} s"
        target.series = {'fault{x="1"}': 0, 'slow{x="2"}': 0}
        over = {"1": ["firing", "resolved"], "2": ["firing", "resolved"]}
        wait_until("both are over", lambda: chat.story("x") == over, 30)
        time.sleep(2)
        assert chat.story("x") == over, chat.story("x")
        print(f"the clock is set to {', '.join(f'{step:+}' for step, _ in STEPS)} s: nothing lost, nothing told twice, no false end")


if __name__ == "__main__":
    main(*sys.argv[1:])
