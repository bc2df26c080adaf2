#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The overlay of examples/rules-repository, rendered by what it uses of kustomize: resources, generators,
one strategic merge, images. What comes out has to hold together: every file is there, the patch meets
what it patches, every volume has one source and every mount a volume, and the configuration reads from
where something is mounted. Where kubectl is at hand, that is what kustomize renders."""

import copy
import pathlib
import shutil
import subprocess
import sys

from harness import SKIPPED

ROOT = pathlib.Path(__file__).resolve().parents[2]
OVERLAY = ROOT / "examples" / "rules-repository" / "deploy"
NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
KNOWN = {"apiVersion", "kind", "namespace", "labels", "resources", "patches", "configMapGenerator", "generatorOptions",
         "images"}
MERGED_BY = {"containers": "name", "initContainers": "name", "volumes": "name", "volumeMounts": "mountPath",
             "env": "name", "ports": "containerPort"}


class Wrong(Exception):
    pass


def check(holds, what):
    if not holds:
        raise Wrong(what)


def key_of(thing):
    return thing["kind"], thing["metadata"]["name"]


def merged(into, patch, key=""):
    """A strategic merge: mappings key by key, lists that have a merge key entry by entry; null deletes."""
    if isinstance(patch, dict) and isinstance(into, dict):
        out = dict(into)
        for name, value in patch.items():
            if value is None:
                out.pop(name, None)
            else:
                out[name] = merged(out.get(name), value, name)
        return out
    if isinstance(patch, list) and isinstance(into, list) and key in MERGED_BY:
        by = MERGED_BY[key]
        out = [dict(entry) for entry in into]
        for entry in patch:
            known = next((i for i, old in enumerate(out) if old.get(by) == entry[by]), None)
            if known is None:
                out.append(merged({}, entry))
            else:
                out[known] = merged(out[known], entry)
        return out
    return without_nulls(patch)


def without_nulls(value):
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return [without_nulls(v) for v in value] if isinstance(value, list) else value


def generate(folder, entry, things):
    key = ("ConfigMap", entry["name"])
    check((entry.get("behavior", "create") != "create") == (key in things),
          f"{folder}: behavior of {entry['name']} does not fit what is there")
    data = {}
    for file in entry.get("files", []):
        name, _, path = file.rpartition("=")
        source = folder / path
        check(source.is_file(), f"{source} is not there")
        data[name or source.name] = source.read_text()
    things[key] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": entry["name"]}, "data": data}


def render(folder):
    import yaml
    path = next((folder / name for name in NAMES if (folder / name).is_file()), None)
    check(path, f"{folder} has no kustomization")
    said = yaml.safe_load(path.read_text())
    check(said["kind"] == "Kustomization", f"{path}: not a kustomization")
    check(set(said) <= KNOWN, f"{path}: {set(said) - KNOWN} is not looked at by this test")
    things = {}
    for resource in said.get("resources", []):
        source = (folder / resource).resolve()
        check(source.exists(), f"{path}: {resource} is not there")
        found = render(source) if source.is_dir() else {
            key_of(thing): thing for thing in yaml.safe_load_all(source.read_text()) if thing}
        check(not set(found) & set(things), f"{path}: {set(found) & set(things)} twice")
        things.update(found)
    for entry in said.get("configMapGenerator", []):
        generate(folder, entry, things)
    for patch in said.get("patches", []):
        change = yaml.safe_load((folder / patch["path"]).read_text())
        check(key_of(change) in things, f"{path}: {patch['path']} patches {key_of(change)}, which is not there")
        check(things[key_of(change)]["apiVersion"] == change["apiVersion"], f"{path}: {patch['path']}: another apiVersion")
        things[key_of(change)] = merged(things[key_of(change)], change)
    for image in said.get("images", []):
        used = [c for c in containers(things) if c["image"].split(":")[0] == image["name"]]
        check(used, f"{path}: no container has the image {image['name']}")
        for container in used:
            container["image"] = image.get("newName", image["name"]) + ":" + image["newTag"]
    for labels in said.get("labels", []):
        for thing in things.values():
            thing["metadata"].setdefault("labels", {}).update(labels["pairs"])
            template = thing.get("spec", {}).get("template") if thing["kind"] == "Deployment" else None
            if template and labels.get("includeTemplates"):
                template.setdefault("metadata", {}).setdefault("labels", {}).update(labels["pairs"])
    return things


def pods(things):
    return [thing["spec"]["template"]["spec"] for thing in things.values() if thing["kind"] == "Deployment"]


def containers(things):
    return [c for pod in pods(things) for c in pod.get("initContainers", []) + pod["containers"]]


def holds_together(things):
    for pod in pods(things):
        volumes = {}
        for volume in pod["volumes"]:
            sources = set(volume) - {"name"}
            check(len(sources) == 1, f"volume {volume['name']} has the sources {sources}")
            volumes[volume["name"]] = volume
            config = volume.get("configMap")
            there = config is None or config.get("optional") or ("ConfigMap", config["name"]) in things
            check(there, f"volume {volume['name']}: there is no ConfigMap {config}")
        for container in pod.get("initContainers", []) + pod["containers"]:
            check(":" in container["image"], f"{container['name']}: {container['image']} has no tag")
            for mount in container.get("volumeMounts", []):
                check(mount["name"] in volumes, f"{container['name']} mounts {mount['name']}, which is no volume")
        names = [c["name"] for c in pod.get("initContainers", []) + pod["containers"]]
        check(len(names) == len(set(names)), f"containers {names}")
    labels = [thing["spec"]["template"]["metadata"]["labels"] for thing in things.values() if thing["kind"] == "Deployment"]
    for thing in things.values():
        if thing["kind"] != "NetworkPolicy":
            continue
        wanted = thing["spec"]["podSelector"]["matchLabels"]
        check(any(wanted.items() <= has.items() for has in labels), f"{key_of(thing)} is about no pod")


def git_sync_feeds_tocsin(things):
    """What git-sync writes is what Tocsin reads: one volume, whose link the configuration names."""
    import yaml
    pod = pods(things)[0]
    sync = next(c for c in pod["initContainers"] if c["name"] == "git-sync")
    tocsin = next(c for c in pod["containers"] if c["name"] == "tocsin")
    said = dict(arg.lstrip("-").split("=", 1) for arg in sync["args"])
    written = next(m for m in sync["volumeMounts"] if m["mountPath"] == said["root"])
    read = next(m for m in tocsin["volumeMounts"] if m["name"] == written["name"])
    volume = next(v for v in pod["volumes"] if v["name"] == written["name"])
    check("emptyDir" in volume, f"git-sync cannot write into {volume}")
    check(sync["restartPolicy"] == "Always", "git-sync would end before Tocsin starts")
    probe = sync["startupProbe"]["httpGet"]["port"]
    check(said["http-bind"].endswith(f":{probe}"), "the probe asks another port than git-sync listens on")
    config = yaml.safe_load(things["ConfigMap", "tocsin-config"]["data"]["tocsin.yaml"])
    link = f"{read['mountPath']}/{said['link']}/"
    check(any(path.startswith(link) for path in config["rule_files"]), f"no rule file is read from {link}")
    repository = OVERLAY.parent
    for path in config["rule_files"]:
        if path.startswith(link):
            check(list(repository.glob(path[len(link):])), f"{path} would find nothing in this repository")
    mounts = [m["mountPath"] for m in tocsin["volumeMounts"]] + ["/etc/tocsin/rules/tocsin"]  # The image's own.
    for path in config["rule_files"]:
        check(any(path.startswith(mount + "/") for mount in mounts), f"{path} is mounted from nowhere")
    arguments = tocsin["args"]
    config_path = arguments[arguments.index("--config") + 1]
    check(any(config_path.startswith(mount + "/") for mount in mounts), f"{config_path} is mounted from nowhere")


def notices_mistakes(things):
    """The checks above are worth something: each of these is found."""
    def volumes(changed):
        return pods(changed)[0]["volumes"]

    def drop_volume(changed):
        volumes(changed)[:] = [v for v in volumes(changed) if v["name"] != "git-tmp"]

    def two_sources(changed):
        next(v for v in volumes(changed) if v["name"] == "team-rules")["configMap"] = {"name": "x", "optional": True}

    def no_config_map(changed):
        del changed["ConfigMap", "tocsin-config"]

    def other_link(changed):
        sync = next(c for c in pods(changed)[0]["initContainers"] if c["name"] == "git-sync")
        sync["args"] = [arg.replace("=current", "=latest") for arg in sync["args"]]

    for spoil, look in ((drop_volume, holds_together), (two_sources, holds_together), (no_config_map, holds_together),
                        (other_link, git_sync_feeds_tocsin)):
        changed = copy.deepcopy(things)
        spoil(changed)
        try:
            look(changed)
        except Wrong:
            continue
        raise AssertionError(f"{spoil.__name__} was not noticed")


def is_what_kustomize_renders(things):
    import yaml
    rendered = subprocess.run(["kubectl", "kustomize", str(OVERLAY)], check=True, capture_output=True, text=True, timeout=60)
    real = {key_of(thing): thing for thing in yaml.safe_load_all(rendered.stdout)}
    assert set(real) == set(things), set(real) ^ set(things)
    holds_together(real)
    git_sync_feeds_tocsin(real)
    by_name = lambda pod: {key: sorted(pod[key], key=lambda entry: entry["name"])  # noqa: E731
                           for key in ("containers", "initContainers", "volumes")}
    assert by_name(pods(real)[0]) == by_name(pods(things)[0])


def main(tocsin):
    try:
        import yaml  # noqa: F401
    except ImportError:
        print("skipped: python3-yaml is not installed")
        sys.exit(SKIPPED)
    things = render(OVERLAY)
    holds_together(things)
    git_sync_feeds_tocsin(things)
    notices_mistakes(things)
    checked = subprocess.run([tocsin, "check", str(OVERLAY / "tocsin.yaml")], capture_output=True, text=True, timeout=30)
    assert "tocsin.yaml" not in checked.stderr or "error" not in checked.stderr, checked.stderr
    if shutil.which("kubectl"):
        is_what_kustomize_renders(things)
    print(f"{len(things)} objects hold together" + ("" if shutil.which("kubectl") else "; kubectl is not at hand"))


if __name__ == "__main__":
    main(sys.argv[1])
