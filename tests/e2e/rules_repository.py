#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/rules-repository as a team would use it: the commands of its workflows, as they stand there,
on a branch that changes a rule; and the hooks for pre-commit."""

import http.server
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

from fakes import serve
from harness import SKIPPED, need

ROOT = pathlib.Path(__file__).resolve().parents[2]


def git(folder, *arguments):
    subprocess.run(["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
                   capture_output=True, text=True, check=True, timeout=60)


def shell(folder, command, environment):
    return subprocess.run(["sh", "-ec", command], cwd=folder, env=environment, capture_output=True, text=True,
                          timeout=120)


def tocsin_commands(steps):
    return [step for step in steps if step.startswith("tocsin ")]


def workflows(repository):
    """The commands of either workflow that need nothing but Tocsin."""
    import yaml
    github = yaml.safe_load((repository / ".github/workflows/rules.yaml").read_text())
    gitlab = yaml.safe_load((repository / ".gitlab-ci.yml").read_text())
    return {"GitHub": tocsin_commands(step.get("run", "") for step in github["jobs"]["rules"]["steps"]),
            "GitLab": tocsin_commands(gitlab["rules"]["script"])}


def hooks(repository):
    """What pre-commit would run: the entry, its arguments, and the files that changed."""
    import yaml
    known = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    for use in yaml.safe_load((repository / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]:
        hook = {**known[use["id"]], **use}
        tracked = subprocess.run(["git", "-C", str(repository), "ls-files"], capture_output=True, text=True,
                                 check=True, timeout=60).stdout.split()
        files = [name for name in tracked if re.search(hook["files"], name)]
        assert "rules/shop.mesh.yaml" in files, files
        files = files if hook.get("pass_filenames", True) else []
        yield " ".join([hook["entry"], *hook.get("args", []), *files])


class Nothing(http.server.BaseHTTPRequestHandler):
    """A Prometheus that remembers nothing."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status":"success","data":{"resultType":"matrix","result":[]}}')

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_):
        pass


def main(tocsin):
    need("git")
    try:
        import yaml  # noqa: F401
    except ImportError:
        print("skipped: python3-yaml is not installed")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory() as name:
        repository = pathlib.Path(name) / "rules"
        shutil.copytree(ROOT / "examples/rules-repository", repository)
        git(repository, "init", "-q", "-b", "main")
        git(repository, "add", ".")
        git(repository, "commit", "-qm", "rules")
        git(repository, "update-ref", "refs/remotes/origin/main", "HEAD")
        rules = repository / "rules/checkout.yaml"
        rules.write_text(rules.read_text().replace("below: 99%", "below: 98%"))
        git(repository, "commit", "-qam", "a lower threshold")

        environment = {**os.environ, "BASE": "origin/main",
                       "PATH": f"{pathlib.Path(tocsin).parent}:{os.environ['PATH']}"}
        for service, commands in workflows(repository).items():
            assert len(commands) == 3, (service, commands)
            for command in commands:
                done = shell(repository, command, environment)
                assert done.returncode == 0, (service, command, done.stdout, done.stderr)
            cases = xml.etree.ElementTree.parse(repository / "junit.xml").findall("testsuite/testcase")
            assert len(cases) == 4, cases
            comment = (repository / "diff.md").read_text()
            assert "CheckoutFails" in comment and "CheckoutSlow" not in comment.split("<details>")[0], comment
            for left in ("junit.xml", "diff.md"):
                (repository / left).unlink()
            with_past = {**environment, "PROMETHEUS_URL": f"http://127.0.0.1:{serve(Nothing).server_port}"}
            done = shell(repository, commands[2], with_past)
            assert done.returncode == 0, (service, done.stdout, done.stderr)
            comment = (repository / "diff.md").read_text()
            assert "over 7d" in comment and "the same 0 alerts" in comment, comment
        for command in hooks(repository):
            done = shell(repository, command, environment)
            assert done.returncode == 0, (command, done.stdout, done.stderr)

        # A rule that pages for nothing does not get through.
        rules.write_text(rules.read_text().replace("min_requests: 50", "min_requests: 0"))
        assert shell(repository, "tocsin test rules", environment).returncode == 1
        rules.write_text("groups: [{name: g, rules: [{alert: A, expr: 'sum(rate(response_total[5m])) > 1'}]}]\n")
        assert shell(repository, "tocsin check --strict rules", environment).returncode == 1
        print("the workflows' commands and the hooks run as they stand there")


if __name__ == "__main__":
    main(sys.argv[1])
