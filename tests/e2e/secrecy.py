#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every kind of secret that a configuration may hold, in it and in files, with targets and receivers that
refuse it, and a reload that fails: no secret is in the log, on the page, in the API, in /metrics or on
the disk. That each was used is seen at the other end."""

import http.server
import os
import sys
import threading
import time

from fakes import Server
from harness import Lab, free_port, get, wait_until

PATHS = ("/", "/kept", "/graph", "/metrics", "/federate?match[]={__name__=~\".%2B\"}", "/-/ready", "/-/healthy",
         "/api/v1/alerts", "/api/v1/rules", "/api/v1/targets", "/api/v1/replica", "/api/v1/series?match[]=up",
         "/api/v1/query?query=ALERTS", "/api/v1/status/buildinfo", "/api/v1/status/tsdb", "/api/v2/status",
         "/api/v2/silences")

CONFIG = """
global:
  scrape_interval: 1s
  scrape_timeout: 900ms
  evaluation_interval: 1s
  resend_delay: 1s
  smtp_smarthost: '127.0.0.1:{nobody}'
  smtp_from: tocsin@example.org
  smtp_auth_username: tocsin
  smtp_auth_password: s3cret-mail
  smtp_require_tls: false
rule_files: [rules.yaml]
scrape_configs:
  - {{job_name: basic, basic_auth: {{username: u, password: s3cret-basic}}, static_configs: [{{targets: ['{server}']}}]}}
  - {{job_name: bearer, authorization: {{credentials: s3cret-bearer}}, static_configs: [{{targets: ['{server}']}}]}}
  - {{job_name: file, authorization: {{credentials_file: credentials}}, static_configs: [{{targets: ['{server}']}}]}}
alerting:
  alertmanagers:
    - {{basic_auth: {{username: u, password: s3cret-alertmanager}}, static_configs: [{{targets: ['{server}']}}]}}
route: {{receiver: all, group_wait: 100ms, group_interval: 1s}}
receivers:
  - name: all
    webhook_configs:
      - {{url: 'http://{server}/s3cret-webhook'}}
      - {{url: 'http://127.0.0.1:{nobody}/s3cret-nobody'}}
      - {{url_file: url}}
      - {{url: 'http://{server}/w', headers: {{X-Token: s3cret-header}}}}
    slack_configs: [{{api_url: 'http://{server}/s3cret-slack'}}]
    pagerduty_configs: [{{url: 'http://{server}/pd', routing_key: s3cret-pagerduty}}]
    telegram_configs: [{{api_url: 'http://{server}', bot_token: s3cret-telegram, chat_id: 1}}]
    opsgenie_configs: [{{api_url: 'http://{server}/og/', api_key: s3cret-opsgenie}}]
    discord_configs: [{{webhook_url: 'http://{server}/s3cret-discord'}}]
    msteamsv2_configs: [{{webhook_url: 'http://{server}/s3cret-teams'}}]
    email_configs: [{{to: someone@example.org}}]
standby: {{by: 'http://{server}', after: 1s, basic_auth: {{username: u, password: s3cret-standby}}}}
silences: {{enabled: true}}
storage: {{path: state}}
"""
RULES = "groups: [{name: g, rules: [{alert: Fault, expr: vector(1)}]}]\n"

# What the other end must have seen, so that the test is about secrets that were used.
USED = ("s3cret-bearer", "s3cret-from-file", "/s3cret-webhook", "/s3cret-from-url-file", "s3cret-header", "/s3cret-slack",
        "s3cret-pagerduty", "s3cret-telegram", "s3cret-opsgenie", "/s3cret-discord", "/s3cret-teams",
        "dTpzM2NyZXQtYmFzaWM=", "dTpzM2NyZXQtYWxlcnRtYW5hZ2Vy", "dTpzM2NyZXQtc3RhbmRieQ==")
ENCODED = ("czNjcmV0", "MzY3JldC", "MzY3Jld")  # Parts of it in base64, wherever it begins.


class Refuses(http.server.BaseHTTPRequestHandler):
    """Whoever is asked anything says no, and everything that came is kept."""

    seen = []
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        Refuses.seen.append(f"{self.path}\n{self.headers}\n{body.decode(errors='replace')}")
        self.send_response(401)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"not you")

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


def files_under(folder):
    for where, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(where, name), "rb") as file:
                yield os.path.join(where, name), file.read().decode(errors="replace")


def main(tocsin):
    server = Server(("127.0.0.1", 0), Refuses)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    address = f"127.0.0.1:{server.server_port}"
    with Lab(tocsin) as lab:
        lab.write("rules.yaml", RULES)
        lab.write("credentials", "s3cret-from-file\n")
        lab.write("url", f"http://{address}/s3cret-from-url-file\n")
        config = CONFIG.format(server=address, nobody=free_port())
        web = lab.start_tocsin("tocsin", config)
        for secret in USED:
            wait_until(f"it is used: {secret}", lambda s=secret: any(s in text for text in list(Refuses.seen)), 30)
        shown = {path: get(f"http://{web}{path}") for path in PATHS}
        # A mistake beside a secret, which is shown with its line.
        with open(lab.path("tocsin.yaml"), "a") as out:
            out.write("receivers: [{name: x, slack_configs: [{api_url: 's3cret-broken', no_such_key: 1}]}]\n")
        wait_until("the reload has failed", lambda: "tocsin_config_last_reload_successful 0" in get(f"http://{web}/metrics"), 20)
        time.sleep(1)
        shown.update({path + " (after the reload)": get(f"http://{web}{path}") for path in PATHS})
        shown["the log"] = lab.log("tocsin")
        for name, text in files_under(lab.path("state")):
            shown[name] = text
        assert "401" in shown["the log"], "nobody was refused"
        for where, text in shown.items():
            for sign in ("s3cret", *ENCODED):
                at = text.find(sign)
                assert at < 0, f"{where} shows a secret: {text[max(0, at - 100):at + 40]}"
        print(f"{len(USED)} secrets were used and refused, and none is in the log, on {len(PATHS)} addresses or on the disk")


if __name__ == "__main__":
    main(sys.argv[1])
