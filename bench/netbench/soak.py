# SPDX-License-Identifier: Apache-2.0
"""A long run: clients that never rest, and a node that dies every so often and is started again. Counts
answers that failed or have another text, and watches memory and speed."""
import collections
import contextlib
import csv
import random
import threading
import time

from netbench import plot
from netbench.client import Answer
from netbench.nodes import Nodes
from netbench.output import progress

SHARDS, REPLICAS = 4, 2
PROMPTS_COUNT = 8
SAMPLE_S = 2.0
RETRY_S = 0.5


def body_of(number, options):
    return {"prompt": f"Once upon a time there were {number + 2} little foxes", "max_tokens": options.tokens,
            "seed": number, "temperature": 0.8}


class Clients:
    """Each asks one request after the other, of the entries in turns. Where an entry dies the request is asked
    again of another one, as every client of an entry has to until entries take over from each other."""

    def __init__(self, nodes, options, reference):
        self.nodes, self.options, self.reference = nodes, options, reference
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.failures = []
        self.waits = []
        self.ended = threading.Event()
        self.killed_entries: list[tuple[float, int]] = []
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(options.clients)]

    def run(self, number):
        replica, asked = number % REPLICAS, number
        while not self.ended.is_set():
            prompt = asked % PROMPTS_COUNT
            asked += 1
            begin = time.monotonic()
            while True:
                answer = self.nodes.api(replica).stream(body_of(prompt, self.options), timeout=60, on_piece=self.count)
                lost_entry = self.lost(replica, answer)
                if not lost_entry:
                    break
                with self.lock:
                    self.counts["asked again, the entry had died"] += 1
                replica = (replica + 1) % REPLICAS
            self.take(prompt, answer, begin, replica)

    def count(self, _answer):
        with self.lock:
            self.counts["pieces"] += 1

    def lost(self, replica, answer) -> bool:
        """The entry itself died under the request, or is not there yet."""
        if not answer.error:
            return False
        entry = self.nodes.nodes[replica * SHARDS]
        died = any(at >= answer.asked - 0.1 and r == replica for at, r in self.killed_entries)
        return died or not entry.running() or "ConnectionRefused" in answer.error or "503" in answer.error and not self.ready(
            replica)

    def ready(self, replica) -> bool:
        """Whether an entry that refuses has been up for long: one that was just started may."""
        return not any(time.monotonic() - at < 10 and r == replica for at, r in self.killed_entries)

    def take(self, prompt, answer, begin, replica):
        with self.lock:
            self.counts["requests"] += 1
            if answer.error:
                self.counts["failed"] += 1
                self.failures.append({"at": time.monotonic(), "why": answer.error, "after_s": time.monotonic() - begin,
                                      "entry": replica, "pieces": len(answer.pieces)})
            elif answer.text != self.reference[prompt]:
                self.counts["different"] += 1
            times = [at for at, _ in answer.pieces]
            self.waits.append(max((b - a for a, b in zip(times, times[1:])), default=0.0))
        if answer.error:
            time.sleep(RETRY_S)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()


def sample(nodes, clients, start, kills):
    with clients.lock:
        row = {"second": time.monotonic() - start, "pieces": clients.counts["pieces"],
               "failed": clients.counts["failed"], "kills": kills}
    for i, node in enumerate(nodes.nodes):
        # A process that is away or still loads has no memory to speak of.
        try:
            row[f"rss_{i}"] = node.memory_bytes()["now"] if node.running() else None
        except (OSError, KeyError):
            row[f"rss_{i}"] = None
    return row


def run(nodes, clients, options):
    chance = random.Random(options.seed)
    start = time.monotonic()
    rows, kills, back = [], 0, {}
    next_kill = start + options.kill_every
    while time.monotonic() - start < options.minutes * 60:
        now = time.monotonic()
        for node in [i for i, at in back.items() if now >= at]:
            del back[node]
            nodes.nodes[node].start()
        if now >= next_kill:
            next_kill += options.kill_every
            victim = chance.choice([i for i in range(SHARDS * REPLICAS) if options.kill == "any" or i % SHARDS])
            if victim % SHARDS == 0:  # Before its clients can see it.
                clients.killed_entries.append((now, victim // SHARDS))
            back[victim] = nodes.nodes[victim].kill() + options.away
            kills += 1
        rows.append(sample(nodes, clients, start, kills))
        if len(rows) % 15 == 0:
            progress(f"soak: {rows[-1]['second']:.0f} s, {kills} kills, {dict(clients.counts)}")
        time.sleep(SAMPLE_S)
    return rows, kills


def slope_per_hour(points):
    """Of a straight line through (second, bytes), by least squares."""
    count = len(points)
    if count < 2:
        return 0.0
    mean_x, mean_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return 3600 * sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def memory_of(rows, node):
    """Of the node's longest life."""
    lives = [[]]
    before = 0
    for row in rows:
        bytes_now = row[f"rss_{node}"]
        # A process that begins anew is far smaller than it was.
        if bytes_now is None or bytes_now < 0.7 * before:
            lives.append([])
        before = bytes_now or 0
        if bytes_now:
            lives[-1].append((row["second"], bytes_now))
    life = max(lives, key=len)
    steady = life[len(life) // 5:] or [(0, 0)]  # What it takes to begin with is not growth.
    return {"node": node, "lives": sum(bool(one) for one in lives), "longest_s": steady[-1][0] - steady[0][0],
            "start": steady[0][1], "end": steady[-1][1], "slope_per_hour": slope_per_hour(steady)}


def measure(options, folder):
    with contextlib.ExitStack() as stack:
        nodes = stack.enter_context(Nodes(options.teetee, options.model, folder, shards=SHARDS, replicas=REPLICAS,
                                          extra=options.flags))
        answers: list[Answer] = [nodes.api().stream(body_of(i, options)) for i in range(PROMPTS_COUNT)]
        with Clients(nodes, options, [answer.text for answer in answers]) as clients:
            rows, kills = run(nodes, clients, options)
    options.out.mkdir(parents=True, exist_ok=True)
    with open(options.out / "soak.csv", "w", newline="") as out:
        writer = csv.DictWriter(out, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    speeds = [((a["second"] + b["second"]) / 2, (b["pieces"] - a["pieces"]) / (b["second"] - a["second"]))
              for a, b in zip(rows, rows[1:])]
    memory = [(f"node {i}", [(row["second"], (row[f"rss_{i}"] or 0) / 1e6) for row in rows]) for i in range(len(nodes.nodes))]
    (options.out / "soak.svg").write_text(plot.stacked([("resident memory, MB", memory), ("tokens/s", [("all", speeds)])]))
    reasons = collections.Counter(failure["why"] for failure in clients.failures)
    return {"kills": kills, "counts": dict(clients.counts), "reasons": dict(reasons), "failures": clients.failures[:200],
            "longest_gap_s": max(clients.waits, default=0.0), "memory": [memory_of(rows, i) for i in range(len(nodes.nodes))],
            "tokens_per_s": [sum(s for _, s in part) / max(1, len(part)) for part in
                             (speeds[:len(speeds) // 4], speeds[-(len(speeds) // 4):])]}


def show(result):
    counts = collections.Counter(result["counts"])
    print(f"\n{counts['requests']} requests, {result['kills']} kills: **{counts['failed']} failed, {counts['different']} with "
          f"another text**; {counts['asked again, the entry had died']} asked again because their entry had died; longest gap "
          f"within an answer {result['longest_gap_s']:.2f} s; tokens/s in the first and last quarter: "
          f"{result['tokens_per_s'][0]:.0f}, {result['tokens_per_s'][1]:.0f}")
    for reason, count in result["reasons"].items():
        print(f"- {count}: {reason}")
    print("\n| node | lives | its longest | RSS at its start and end | slope |\n|---|---|---|---|---|")
    for row in result["memory"]:
        print(f"| {row['node']} | {row['lives']} | {row['longest_s']:.0f} s | {row['start'] / 1e6:.1f}, {row['end'] / 1e6:.1f} MB | "
              f"{row['slope_per_hour'] / 1e6:+.1f} MB/h |")
