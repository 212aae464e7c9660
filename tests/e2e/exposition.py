# SPDX-License-Identifier: Apache-2.0
"""Prometheus' text format 0.0.4, read strictly, and what docs/operations.md says of the metrics."""
import dataclasses
import math
import re

from harness import ROOT

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')
TYPES = {"counter", "gauge", "histogram"}


@dataclasses.dataclass
class Family:
    type: str
    help: str
    # (suffix behind the name, labels) -> value
    samples: dict[tuple[str, tuple[tuple[str, str], ...]], float] = dataclasses.field(default_factory=dict)


def parse_labels(text: str) -> tuple[tuple[str, str], ...]:
    labels = []
    while text:
        match = LABEL.match(text)
        assert match, f"no label: {text!r}"
        value = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], match[2])
        labels.append((match[1], value))
        text = text[match.end():]
        assert not text or (text[0] == "," and len(text) > 1), text
        text = text[1:]
    assert len({name for name, _ in labels}) == len(labels), labels
    return tuple(labels)


def parse_value(text: str) -> float:
    assert re.fullmatch(r"[+-]?(Inf|\d+(\.\d+)?([eE][+-]?\d+)?)|NaN", text), text
    return float(text)


def parse_sample(line: str) -> tuple[str, tuple, float]:
    name = NAME.match(line)
    assert name, line
    rest = line[name.end():]
    labels = ()
    if rest.startswith("{"):
        end = rest.rindex("}")
        labels, rest = parse_labels(rest[1:end]), rest[end + 1:]
    # A value and no timestamp: a scrape is of now.
    assert re.fullmatch(r" [^ ]+", rest), line
    return name[0], labels, parse_value(rest[1:])


def check_histogram(name: str, family: Family):
    groups: dict[tuple, dict] = {}
    for (suffix, labels), value in family.samples.items():
        own = tuple(pair for pair in labels if pair[0] != "le")
        group = groups.setdefault(own, {"buckets": []})
        if suffix == "_bucket":
            group["buckets"].append((parse_value(dict(labels)["le"]), value))
        else:
            assert suffix in ("_sum", "_count"), (name, suffix)
            group[suffix] = value
    for labels, group in groups.items():
        buckets = group["buckets"]
        assert buckets == sorted(buckets) and buckets[-1][0] == math.inf, (name, labels, buckets)
        counts = [count for _, count in buckets]
        assert counts == sorted(counts) and counts[-1] == group["_count"], (name, labels, buckets)
        assert "_sum" in group, (name, labels)


def parse(text: str) -> dict[str, Family]:
    """Each family is in one piece, with HELP and TYPE in front; no sample comes twice."""
    assert text.endswith("\n"), text[-50:]
    families: dict[str, Family] = {}
    current = pending_help = None
    for line in text[:-1].split("\n"):
        if match := re.fullmatch(rf"# HELP ({NAME.pattern}) (.+)", line):
            assert match[1] not in families, f"{match[1]} comes twice"
            current, pending_help = match[1], match[2]
        elif match := re.fullmatch(rf"# TYPE ({NAME.pattern}) (\w+)", line):
            assert match[1] == current and pending_help and match[2] in TYPES, line
            families[current] = Family(match[2], pending_help)
            pending_help = None
        else:
            name, labels, value = parse_sample(line)
            assert current and pending_help is None and name.startswith(current), line
            suffix = name[len(current):]
            family = families[current]
            assert family.type == "histogram" or not suffix, line
            assert (suffix, labels) not in family.samples, f"twice: {line}"
            assert family.type == "gauge" or value >= 0, line
            family.samples[suffix, labels] = value
    for name, family in families.items():
        assert family.samples, name
        assert name.endswith("_total") == (family.type == "counter"), name
        if family.type == "histogram":
            check_histogram(name, family)
    return families


class Scrape:
    def __init__(self, http):
        status, body = http.get("/metrics")
        assert status == 200, (status, body)
        self.families = parse(body.decode())

    def value(self, name: str, **labels) -> float:
        """The sum of the samples that have these labels; 0 where there is none."""
        base, suffix = name, ""
        for end in ("_count", "_sum"):
            if name not in self.families and name.endswith(end):
                base, suffix = name[:-len(end)], end
        samples = self.families[base].samples if base in self.families else {}
        return sum(value for (own, has), value in samples.items()
                   if own == suffix and labels.items() <= dict(has).items())

    def labels(self, name: str) -> list[dict]:
        return [dict(labels) for _, labels in self.families[name].samples] if name in self.families else []


def documented() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Of every metric in the document's table: its type and labels."""
    page = (ROOT / "docs/operations.md").read_text()
    rows = re.findall(r"^\| `((?:teetee|process)_\w+)` \| (\w+) \| ([a-z, ]*?) ?\|", page, re.M)
    out = {name: (kind, tuple(label for label in labels.split(", ") if label)) for name, kind, labels in rows}
    assert len(out) == len(rows) > 50
    return out


def ensure_documented(families: dict[str, Family]):
    known = documented()
    for name, family in families.items():
        assert name in known, f"{name} is not in docs/operations.md"
        kind, labels = known[name]
        assert family.type == kind, name
        for _, has in family.samples:
            assert tuple(label for label, _ in has if label != "le") == labels, (name, has)
