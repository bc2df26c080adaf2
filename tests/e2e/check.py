#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`tocsin check` on trees of files: beside promtool's verdicts, in the forms that CI systems read, and
beside the series that really exist."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Name and text of a rule file; whether promtool takes it is promtool's to say.
FILES = {
    "plain": "groups: [{name: g, rules: [{alert: A, expr: up == 0, for: 5m}]}]",
    "empty": "",
    "no groups": "groups: []",
    "an unknown key": "groups: [{name: g, rules: [{alert: A, expr: up == 0, fro: 5m}]}]",
    "a bad duration": "groups: [{name: g, rules: [{alert: A, expr: up == 0, for: 5x}]}]",
    "bad PromQL": "groups: [{name: g, rules: [{alert: A, expr: 'up =='}]}]",
    "alert and record": "groups: [{name: g, rules: [{alert: A, record: b, expr: up}]}]",
    "neither": "groups: [{name: g, rules: [{expr: up}]}]",
    "no expr": "groups: [{name: g, rules: [{alert: A}]}]",
    "a group twice": "groups: [{name: g, rules: []}, {name: g, rules: []}]",
    "a group without a name": "groups: [{rules: []}]",
    "a bad label": "groups: [{name: g, rules: [{alert: A, expr: up, labels: {__name__: a}}]}]",
    "a bad template": "groups: [{name: g, rules: [{alert: A, expr: up, annotations: {s: '{{ $x }}'}}]}]",
    "an unknown function": "groups: [{name: g, rules: [{alert: A, expr: up, annotations: {s: '{{ 1 | foo }}'}}]}]",
    "for in a recording": "groups: [{name: g, rules: [{record: a, expr: up, for: 5m}]}]",
    "annotations in a recording": "groups: [{name: g, rules: [{record: a, expr: up, annotations: {a: b}}]}]",
    "a bad record": "groups: [{name: g, rules: [{record: 'a{b}', expr: up}]}]",
    "a limit": "groups: [{name: g, limit: 5, rules: [{record: a, expr: up}]}]",
    "tabs": "groups:\n\t- name: g",
    "a list": "- a",
    "a key twice": "groups: [{name: g, rules: [{alert: A, expr: up, expr: up}]}]",
    "a template": "groups: [{name: g, rules: [{alert: A, expr: up, labels: {a: '{{ $labels.pod }}'}}]}]",
    "two functions": "groups: [{name: g, rules: [{alert: A, expr: 'rate(sum(up)[5m])'}]}]",
    "a regex": "groups: [{name: g, rules: [{alert: A, expr: 'up{a=~\"(\"}'}]}]",
}
# promtool takes these, and every evaluation fails.
STRICTER = {
    "a string": "groups: [{name: g, rules: [{alert: A, expr: '\"up\"'}]}]",
    "a range": "groups: [{name: g, rules: [{alert: A, expr: 'up[5m]'}]}]",
}
LINT = """\
groups:
  - name: g
    rules:
      - alert: Failures
        expr: sum(rate(response_total{classification="failure"}[5m])) > 1
      # tocsin: disable=no-direction
      - alert: Silenced
        expr: sum(rate(response_total{classification="failure"}[5m])) > 1
"""
PAGE = """\
# TYPE response_total counter
response_total{direction="inbound",deployment="web",classification="success"} 10
"""
DATA_RULES = """\
groups:
  - name: g
    rules:
      - {record: deployment:ok, expr: 'response_total{direction="inbound",classification="success"}'}
      - {alert: Fine, expr: 'deployment:ok > 5'}
      - {alert: WrongLabel, expr: 'response_total{direction="inbound",deployment="wbe"} > 5'}
      - {alert: WrongName, expr: 'respons_total > 5'}
      - {alert: EitherName, expr: '(respons_total or response_total{direction="inbound"}) > 50'}
      - {alert: Gone, expr: 'absent(respons_total{direction="inbound"})'}
      # tocsin: disable=data/no-series
      - {alert: NotYet, expr: 'failures_total > 5'}
"""


def check(tocsin, *arguments, stdin=None):
    return subprocess.run([tocsin, "check", *arguments], capture_output=True, text=True, input=stdin, timeout=60)


def compare_verdicts(tocsin, folder):
    if shutil.which("promtool") is None:
        print("not compared with promtool, which is not installed")
        return
    for name, text in FILES.items():
        file = folder / "verdict.yaml"
        file.write_text(text + "\n")
        theirs = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True, timeout=60)
        ours = check(tocsin, str(file))
        assert (theirs.returncode == 0) == (ours.returncode == 0), (
            name, theirs.stdout + theirs.stderr, ours.stdout + ours.stderr)
    for name, text in STRICTER.items():
        file = folder / "verdict.yaml"
        file.write_text(text + "\n")
        assert check(tocsin, str(file)).returncode == 1, name
    print(f"{len(FILES)} rule files: promtool's verdicts")
    shared = pathlib.Path(os.environ.get("TOCSIN_SHARED_DIR", ROOT.parent / "shared")) / "promtool"
    theirs = [file for file in sorted(shared.glob("*.yml")) if file.read_text().startswith("groups:")]
    if not theirs:
        print("skipped: promtool's own rule files are not at hand")
    for file in theirs + sorted((ROOT / "rules").glob("*/*.yaml")):
        if file.name.endswith(".test.yaml"):
            continue
        plain = folder / "plain.yaml"
        explained = subprocess.run([tocsin, "explain", "--format=prometheus", str(file)], capture_output=True, text=True,
                                   timeout=60)
        plain.write_text(explained.stdout)
        asked = plain if explained.returncode == 0 else file
        taken = subprocess.run(["promtool", "check", "rules", "--lint=none", str(asked)], capture_output=True, text=True,
                               timeout=60)
        assert (taken.returncode == 0) == (check(tocsin, str(file)).returncode == 0), (file, taken.stdout + taken.stderr)


def compare_formats(tocsin, folder):
    file = folder / "lint.yaml"
    file.write_text(LINT)
    text = check(tocsin, str(file))
    assert text.returncode == 0 and text.stderr.count("lint/no-direction") == 1, text
    assert check(tocsin, "--strict", str(file)).returncode == 1
    found = json.loads(check(tocsin, "--format", "json", str(file)).stdout)
    assert [(d["code"], d["line"], d["severity"]) for d in found] == [("lint/no-direction", 5, "warning")], found
    github = check(tocsin, "--format", "github", str(file)).stdout
    assert github.startswith(f"::warning file={file},line=5,col=24,title=lint/no-direction::"), github
    assert github.count("\n") == 1, github
    tree = xml.etree.ElementTree.fromstring(check(tocsin, "--format", "checkstyle", str(file)).stdout)
    errors = tree.findall("file/error")
    assert [e.get("source") for e in errors] == ["lint/no-direction"] and errors[0].get("line") == "5"


def walk_trees(tocsin, folder):
    tree = folder / "tree"
    (tree / "deep").mkdir(parents=True)
    (tree / "deep" / "broken.yaml").write_text(FILES["bad PromQL"] + "\n")
    (tree / "deep" / "syntax.yml").write_text("groups: [\n")
    (tree / "good.yaml").write_text(FILES["plain"] + "\n")
    (tree / "good.test.yaml").write_text("rule_files: [good.yaml]\ntests: [{intervall: 1m}]\n")
    (tree / "tocsin.yaml").write_text("rule_files: [good.yaml]\nscrape_config: []\n")
    (tree / "other.yaml").write_text("kind: Deployment\n")
    (tree / "shop.mesh.yaml").write_text("workloads: [{name: web, namespace: shop, replica: 2}]\n")
    done = check(tocsin, str(tree))
    assert done.returncode == 1, done
    for word in ("deep/broken.yaml:1", "deep/syntax.yml:", "did you mean 'interval'?", "did you mean 'scrape_configs'?",
                 "shop.mesh.yaml:1", "did you mean 'replicas'?"):
        assert word in done.stderr, (word, done.stderr)
    assert "other.yaml" not in done.stderr and done.stdout.startswith("6 file(s): 5 error(s)"), done
    done = check(tocsin, "--strict", str(tree / "other.yaml"))
    assert done.returncode == 0 and "other.yaml: passed over" in done.stderr, done
    done = check(tocsin, str(tree / "nowhere" / "*.yaml"))
    assert done.returncode == 2 and "no such file" in done.stderr, done
    # A configuration's rules are looked at like those that are named, and once.
    rules = tree / "named"
    rules.mkdir()
    (rules / "tocsin.yaml").write_text("rule_files: [rules.yaml]\n")
    (rules / "rules.yaml").write_text(LINT)
    assert check(tocsin, str(rules)).stderr.count("lint/no-direction") == 1
    (rules / "rules.yaml").write_text(VERSIONED)
    assert "not-in-version" in check(tocsin, "--linkerd-version", "2.16", str(rules / "tocsin.yaml")).stderr
    (rules / "tocsin.yaml").write_text("global: {}\nrule_files:\n- nowhere/*.yaml\n")
    done = check(tocsin, "--format", "github", str(rules / "tocsin.yaml"))
    assert done.stdout.startswith(f"::warning file={rules / 'tocsin.yaml'},line=3,col=3,title=rule/no-files::"), done
    assert check(tocsin, "-", stdin=FILES["bad PromQL"]).returncode == 1
    # As kubectl prints a List of objects.
    (rules / "list.yaml").write_text("apiVersion: v1\nkind: List\nitems:\n- kind: ConfigMap\n- kind: PrometheusRule\n"
                                     f"  spec: {FILES['bad PromQL'].replace('groups: [', '{groups: [')}}}\n")
    done = check(tocsin, str(rules / "list.yaml"))
    assert done.returncode == 1 and "list.yaml:6:" in done.stderr and "passed over" not in done.stderr, done
    (rules / "list.yaml").unlink()
    # Whatever reads rules takes a folder of them.
    for sources, rc, word in (([str(ROOT / "rules")], 0, "SuccessRateLow"), ([str(rules)], 0, "Statuses"),
                              ([str(tree / "nowhere")], 1, "nowhere"), ([str(tree / "other.yaml")], 1, "no rule file")):
        done = subprocess.run([tocsin, "explain", *sources], capture_output=True, text=True, timeout=60)
        assert done.returncode == rc and word in done.stdout + done.stderr, done
    for shipped in ("rules", "examples/rules-repository/rules"):
        done = check(tocsin, "--strict", str(ROOT / shipped))
        assert done.returncode == 0, done


def look_at_series(tocsin, folder):
    (folder / "page.txt").write_text(PAGE)
    (folder / "data.yaml").write_text(DATA_RULES)
    done = check(tocsin, str(folder / "data.yaml"), "--data", str(folder / "page.txt"))
    assert done.stderr.count("data/no-series") == 2, done.stderr
    assert 'without deployment="wbe" there are some' in done.stderr, done.stderr
    assert "there is no series 'respons_total'" in done.stderr, done.stderr


VERSIONED = """groups:
- name: g
  rules:
  - alert: Statuses
    expr: sum(rate(inbound_http_statuses_total{status="500"}[5m])) > 1
  - alert: Issuer
    # tocsin: disable=not-in-version
    expr: issuer_cert_ttl_seconds < 86400
"""


def knows_versions(tocsin, folder):
    file = folder / "versioned.yaml"
    file.write_text(VERSIONED)
    assert "lint/" not in check(tocsin, str(file)).stderr
    assert "lint/" not in check(tocsin, "--linkerd-version", "2.20", str(file)).stderr
    done = check(tocsin, "--linkerd-version", "2.16", "--format", "json", str(file))
    found = [(d["code"], d["line"]) for d in json.loads(done.stdout)]
    assert found == [("lint/not-in-version", 4)], done
    assert "exists only since Linkerd 2.20" in done.stdout, done.stdout
    edge = check(tocsin, "--linkerd-version", "edge-24.7.5", "--format", "json", str(file))
    assert edge.stdout == done.stdout, edge
    assert "lint/" not in check(tocsin, "--linkerd-version", "edge-26.5.2", str(file)).stderr
    done = check(tocsin, "--linkerd-version", "new", str(file))
    assert done.returncode == 2 and "2.16, stable-2.14.10 or edge-25.4.1" in done.stderr, done


def says_what_would_fire(tocsin, folder):
    (folder / "fire.txt").write_text('limit{pod="a"} 3\nlimit{pod="b"} 5\n')
    file = folder / "fire.yaml"
    file.write_text("groups:\n- name: g\n  rules:\n  - {alert: High, expr: limit > 2, for: 5m}\n"
                    "  - {alert: Higher, expr: limit > 9}\n")
    done = check(tocsin, str(file), "--data", str(folder / "fire.txt"))
    assert f"{file}:4: High would have 2 alerts now, once it has been so for 5m: " in done.stdout, done.stdout
    assert "Higher" not in done.stdout, done.stdout
    assert "would have" not in check(tocsin, str(file)).stdout


def knows_how_often_is_scraped(tocsin, folder):
    """Of the configuration that is checked too; without one, of the data."""
    file = folder / "window.yaml"
    file.write_text("groups: [{name: g, rules: [{record: 'a:b', expr: 'rate(requests_total{job=\"web\"}[1m])'}]}]\n")
    config = folder / "scrapes.yaml"
    config.write_text("global: {scrape_interval: 30s}\nscrape_configs: [{job_name: web}, "
                      "{job_name: slow, scrape_interval: 5m}]\n")
    (folder / "up.txt").write_text("".join(f'up{{job="web"}} 1 {1700000000000 + 20010 * i}\n' for i in range(10)))
    assert "short-window" not in check(tocsin, str(file)).stderr
    with_config = check(tocsin, str(file), str(config)).stderr
    assert f"job 'web' is scraped every 30s, as {config} says" in with_config, with_config
    assert "hint: write [2m] or more" in with_config, with_config
    with_data = check(tocsin, str(file), "--data", str(folder / "up.txt")).stderr
    assert "job 'web' is scraped every 20s, as the data says" in with_data, with_data
    assert "every 30s" in check(tocsin, str(file), str(config), "--data", str(folder / "up.txt")).stderr


def lists_what_it_looks_for(tocsin):
    text = check(tocsin, "--list").stdout
    checks = text[:text.index("\nA comment on a rule")].splitlines()
    for line in checks:
        assert line.startswith("lint/") or line.startswith("    "), line
    # Of an example in several lines, all of it.
    begin = checks.index("lint/no-floor")
    example = [line.strip() for line in checks[begin:begin + 10]]
    assert "and sum(increase(response_total{direction=\"inbound\"}[5m])) > 100" in example, example
    assert example.count("for: 2m") == 2, example


def main(tocsin):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        compare_verdicts(tocsin, folder)
        compare_formats(tocsin, folder)
        walk_trees(tocsin, folder)
        look_at_series(tocsin, folder)
        knows_versions(tocsin, folder)
        says_what_would_fire(tocsin, folder)
        knows_how_often_is_scraped(tocsin, folder)
        lists_what_it_looks_for(tocsin)
        print("formats, trees, silenced findings and missing series as they should be")


if __name__ == "__main__":
    main(sys.argv[1])
