# SPDX-License-Identifier: Apache-2.0
"""Dashboard and alerts speak of metrics and labels that there are."""
import json
import re
import shutil
import subprocess

from exposition import documented
from harness import ROOT, Skipped

DASHBOARD = ROOT / "deploy/grafana/teetee.json"
PROMETHEUS = ROOT / "deploy/prometheus"
# Of the scrape, not of the node.
TARGET_LABELS = {"instance", "job"}
NOT_METRICS = {
    "sum", "min", "max", "by", "on", "and", "or", "rate", "increase", "delta", "min_over_time", "time", "histogram_quantile", "count", "without"}


def ensure_known(expression: str):
    """Every metric in it is exported, by that name with its suffixes; every label is one of its metrics'."""
    known, metrics = documented(), []
    bare = re.sub(r'"[^"]*"', '""', expression)
    matchers = re.findall(r"([a-z_]\w*)?\{([^}]*)\}", bare)
    grouped = re.findall(r"\b(?:by|on|without) \(([^)]*)\)", bare)
    rest = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(?:by|on|without) \([^)]*\)", " ", bare)
    words = set(re.findall(r"(?<![\w.])[a-z_][a-z0-9_]*", rest)) - NOT_METRICS
    for word in words:
        if word == "up":
            metrics.append(("up", set(TARGET_LABELS)))
            continue
        base = re.sub(r"_(bucket|sum|count)$", "", word)
        if word in known:
            assert known[word][0] != "histogram", f"{word} has no value of its own: {expression}"
            base = word
        assert base in known, f"{word} is not exported: {expression}"
        if base != word:
            assert known[base][0] == "histogram", (word, expression)
        labels = set(known[base][1]) | TARGET_LABELS | ({"le"} if word.endswith("_bucket") else set())
        metrics.append((word, labels))
    assert metrics, expression
    by_name = dict(metrics)
    for name, inside in matchers:
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", inside):
            assert label in by_name[name], (name, label, expression)
    for label in {label.strip() for group in grouped for label in group.split(",")}:
        assert any(label in labels for _, labels in metrics), (label, expression)
    assert expression.count("(") == expression.count(")"), expression


def test_the_dashboard_shows_what_is_exported(teetee):
    dashboard = json.loads(DASHBOARD.read_text())
    assert dashboard["schemaVersion"] >= 38 and dashboard["uid"] and dashboard["title"]
    variables = {v["name"]: v for v in dashboard["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource" and variables["datasource"]["query"] == "prometheus"
    ensure_known(re.fullmatch(r"label_values\((\w+), instance\)", variables["instance"]["definition"])[1])
    panels = dashboard["panels"]
    assert [p["title"] for p in panels if p["type"] == "row"] == ["Overview", "Stages", "Peers", "Proof", "Money"]
    assert len({p["id"] for p in panels}) == len(panels)
    taken = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
        if panel["type"] == "row":
            continue
        assert panel["datasource"]["uid"] == "${datasource}" and panel["targets"], panel["title"]
        assert len({t["refId"] for t in panel["targets"]}) == len(panel["targets"])
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}"
            ensure_known(target["expr"])


def rules() -> list[dict]:
    """Of our own file, which needs no more of YAML than this reads."""
    out = []
    lines = (PROMETHEUS / "teetee-rules.yml").read_text().splitlines()
    for number, line in enumerate(lines):
        if match := re.fullmatch(r" {6}- alert: (\w+)", line):
            out.append({"alert": match[1]})
        elif match := re.fullmatch(r" {8}(expr|for): (.*)", line):
            value = match[2]
            if value == ">-":
                following = iter(lines[number + 1:])
                folded = []
                for more in following:
                    if not more.startswith(" " * 10):
                        break
                    folded.append(more.strip())
                value = " ".join(folded)
            out[-1][match[1]] = value
        elif match := re.fullmatch(r" {10}summary: \"(.*)\"", line):
            out[-1]["summary"] = match[1]
    return out


def test_alerts_ask_for_what_is_exported(teetee):
    found = rules()
    page = (ROOT / "docs/operations.md").read_text()
    assert [r["alert"] for r in found] == re.findall(r"^\| (TeeTee\w+) \|", page, re.M)
    for rule in found:
        ensure_known(rule["expr"])
        assert rule["summary"], rule
    assert "teetee-rules.yml" in (PROMETHEUS / "prometheus.yml").read_text()


def test_prometheus_takes_configuration_and_rules(teetee):
    if not shutil.which("promtool"):
        raise Skipped("no promtool")
    for arguments in (["check", "config", "prometheus.yml"], ["check", "rules", "teetee-rules.yml"]):
        done = subprocess.run(["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_check_finds_what_is_not_there(teetee):
    for wrong in ("teetee_no_such_total", 'teetee_ready{colour="red"}', "sum by (colour) (teetee_ready)",
                  "rate(teetee_stage_compute_seconds[5m])", "teetee_ready_bucket"):
        try:
            ensure_known(wrong)
        except AssertionError:
            continue
        raise AssertionError(f"taken: {wrong}")
