#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The schemas that stand in the repository are those that the program prints; every rule file and
configuration that is shipped fits them, and mistakes do not."""

import json
import pathlib
import subprocess
import sys

from harness import SKIPPED

ROOT = pathlib.Path(__file__).resolve().parents[2]

GOOD_RULES = [
    {"groups": [{"name": "g", "rules": [{"record": "a:b", "expr": "sum(up)"}]}]},
    {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": {"name": "x"},
     "spec": {"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up == 0", "for": "5m"}]}]}},
    {"groups": [{"name": "g", "rules": [{"alert": "A", "control_plane": {"component": ["identity", "policy"]}}]}]},
    {"apiVersion": "v1", "kind": "List", "items": [
        {"kind": "ConfigMap", "data": {}}, {"kind": "Deployment", "spec": {"replicas": 1}},
        {"kind": "PrometheusRule", "spec": {"groups": []}}]},
]
BAD_RULES = [
    {"groups": [{"rules": []}]},
    {"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up", "fro": "5m"}]}]},
    {"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up", "for": "5 minutes"}]}]},
    {"groups": [{"name": "g", "rules": [{"alert": "A", "success_rate": {"over": "5m"}}]}]},
    {"groups": [{"name": "g", "rules": [{"alert": "A", "latency": {"above": "1s", "by": "pod"}}]}]},
    {"kind": "PrometheusRule", "spec": {"groups": [{"name": "g", "rulez": []}]}},
    {"kind": "List", "items": [{"kind": "PrometheusRule", "spec": {"groups": [{"name": "g", "rulez": []}]}}]},
    {"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up", "success_rate": {"below": "99%"}}]}]},
    {"groups": [{"name": "g", "rules": [{"alert": "A", "latency": {"above": "1s"}, "success_rate": {"below": "99%"}}]}]},
    {"groups": [{"name": "g", "rules": [{"alert": "A"}]}]},
    {"groups": [{"name": "g", "rules": [{"alert": "A", "record": "b", "expr": "up"}]}]},
    {"groups": [{"name": "g", "rules": [{"expr": "up"}]}]},
    {"groups": [{"name": "g", "rules": [{"alert": "A", "traffic": {"above": "3x baseline", "below": "1/s"}}]}]},
    {"groups": [{"name": "g", "rules": [{"alert": "A", "control_plane": {"component": "identitty"}}]}]},
    {"groups": [{"name": "g", "rules": [{"alert": "A", "control_plane": {"component": ["identitty"]}}]}]},
]
BAD_CONFIGS = [
    {"global": {"scrape_intervall": "10s"}},
    {"scrape_configs": [{"static_configs": [{"targets": ["a:1"]}]}]},
    {"route": {"receiver": "a", "routes": [{"receiver": "b", "routes": [{"reciever": "c"}]}]}},
    {"receivers": [{"name": "a", "slack_configs": [{"chanel": "x"}]}]},
]


def printed(tocsin, *arguments):
    return subprocess.run([tocsin, "schema", *arguments], capture_output=True, text=True, check=True,
                          timeout=30).stdout


def main(tocsin):
    try:
        import jsonschema
        import yaml
    except ImportError:
        print("skipped: python3-jsonschema or python3-yaml is not installed")
        sys.exit(SKIPPED)
    schemas = {}
    for kind, name in (("rules", "rules.schema.json"), ("config", "tocsin.schema.json")):
        stands = (ROOT / "schemas" / name).read_text()
        assert stands == printed(tocsin, kind), f"print schemas/{name} again: tocsin schema {kind}"
        schemas[kind] = jsonschema.Draft7Validator(json.loads(stands))
    table = printed(tocsin, "rules", "--format=markdown")
    assert (ROOT / "rules" / "REFERENCE.md").read_text().endswith("\n\n" + table), \
        "print the table of rules/REFERENCE.md again: tocsin schema rules --format=markdown"
    checks = subprocess.run([tocsin, "check", "--list", "--output=markdown"], capture_output=True, text=True, check=True,
                            timeout=30).stdout
    assert (ROOT / "rules" / "CHECKS.md").read_text() == checks, \
        "print rules/CHECKS.md again: tocsin check --list --output=markdown"

    rules = [path for folder in ("rules", "examples") for path in (ROOT / folder).rglob("*.y*ml")
             if not path.name.endswith(".test.yaml")]
    documents = [("rules", str(path), d) for path in rules for d in yaml.safe_load_all(path.read_text())
                 if isinstance(d, dict) and ("groups" in d or d.get("kind") == "PrometheusRule")]
    documents += [("config", str(path), yaml.safe_load(path.read_text()))
                  for path in (ROOT / "deploy" / "config").glob("*.yaml")]
    documents += [("rules", "here", d) for d in GOOD_RULES]
    assert len(documents) > 10, len(documents)
    for kind, where, document in documents:
        for error in schemas[kind].iter_errors(document):
            raise AssertionError(f"{where}: {error.json_path}: {error.message[:300]}")
    for kind, bad in (("rules", BAD_RULES), ("config", BAD_CONFIGS)):
        for document in bad:
            assert not schemas[kind].is_valid(document), document
    print(f"{len(documents)} documents fit the schemas, {len(BAD_RULES) + len(BAD_CONFIGS)} do not")


if __name__ == "__main__":
    main(sys.argv[1])
