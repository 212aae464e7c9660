# SPDX-License-Identifier: Apache-2.0
"""Stages are killed, or stand still, in the middle of streams. What the streams deliver is held against the same
requests without a kill; how long a stream waits is parted into until the entry knows, and from then on."""
import contextlib
import random
import statistics
import threading
import time

from netbench.client import Answer
from netbench.nodes import Nodes
from netbench.output import progress
from netbench.wan import Shape, Wan

SHARDS, REPLICAS, STREAMS = 3, 2, 4
# What the entry says when a route of it has lost a node.
NOTICED = r"route: a neighbour was lost|link (to|from) .* down|stage_timeout"
BAR_LOOPBACK_S, BAR_DISTANT_S = 1.0, 3.0
OPENINGS = ["Once upon a time", "There was a fox who", "The little boat", "One day a girl called Lily"]


def bodies(options):
    return [{"prompt": OPENINGS[i % len(OPENINGS)], "max_tokens": options.tokens, "seed": 1000 + i, "temperature": 0.8}
            for i in range(STREAMS)]


def one_kill(nodes, options, undisturbed, chance):
    """Runs all streams, kills one stage when one of them has a certain number of pieces."""
    victim = chance.choice([i for i in range(SHARDS * REPLICAS) if i % SHARDS != 0])
    watched = chance.randrange(STREAMS)
    place = chance.randrange(1, min(options.kill_before, len(undisturbed[watched].pieces)))
    reached = threading.Event()
    answers = [Answer() for _ in range(STREAMS)]

    def watch(answer):
        if answer is answers[watched] and len(answer.pieces) == place:
            reached.set()

    threads = [threading.Thread(target=nodes.api().stream, args=(body,), kwargs={"answer": answer, "on_piece": watch})
               for body, answer in zip(bodies(options), answers)]
    for thread in threads:
        thread.start()
    if not reached.wait(60):
        raise RuntimeError(f"stream {watched} has {len(answers[watched].pieces)} pieces: {answers[watched].error}")
    died = nodes.nodes[victim].freeze() if options.freeze else nodes.nodes[victim].kill()
    for thread in threads:
        thread.join()
    if options.freeze:
        nodes.nodes[victim].kill()
    noticed = nodes.nodes[0].first_line(NOTICED, died)
    rows = [outcome(nodes, answer, reference, died, noticed) for answer, reference in zip(answers, undisturbed)]
    nodes.nodes[victim].start()
    nodes.wait_whole(entries=[0])
    return {"victim": victim, "streams": rows}


def outcome(nodes, answer, reference, died, noticed):
    """Of one stream. Whether the kill met it is what its receipt says: another epoch than the first."""
    row = {"error": answer.error, "same": not answer.error and answer.text == reference.text,
           "moved": False, "wait_s": None, "noticed_s": None, "replay_s": None}
    if answer.error:
        row["fault"] = "failed"
    elif not row["same"]:
        row["fault"] = fault(answer.text, reference.text)
    if not answer.receipt:
        return row
    status, receipt = nodes.api().get(answer.receipt)
    if status != 200:
        return row | {"no_receipt": receipt["error"]["code"]}
    row["moved"] = receipt["stages"][0]["epoch"] > 1
    following = next((at for at, _ in answer.pieces if at > died and at > (noticed or died)), None)
    if row["moved"] and following is not None and noticed is not None:
        row |= {"wait_s": following - died, "noticed_s": noticed - died, "replay_s": following - noticed}
    return row


def fault(text, reference):
    if reference.startswith(text):
        return "lost"
    return "repeated" if len(text) > len(reference) and text.endswith(reference[-20:]) else "different"


def measure_distance(options, folder, rtt_ms):
    chance = random.Random(options.seed)
    with contextlib.ExitStack() as stack:
        wan = None
        if rtt_ms > 0:
            wan = stack.enter_context(Wan(SHARDS * REPLICAS, options.shaper, options.seed, options.congestion))
            wan.shape(Shape(rtt_ms / 2))
        nodes = stack.enter_context(Nodes(options.teetee, options.model, folder, shards=SHARDS, replicas=REPLICAS,
                                          wan=wan, extra=options.flags))
        undisturbed = [nodes.api().stream(body) for body in bodies(options)]
        kills = []
        while count_met(kills) < options.kills and len(kills) < 5 * options.kills:
            kills.append(one_kill(nodes, options, undisturbed, chance))
            waits = [row["wait_s"] for row in kills[-1]["streams"] if row["wait_s"] is not None]
            faults = [row["fault"] for row in kills[-1]["streams"] if "fault" in row]
            progress(f"failover at {rtt_ms:g} ms, kill {len(kills)}, met {count_met(kills)}/{options.kills}: node {kills[-1]['victim']}, waits "
                     f"{', '.join(f'{wait:.2f} s' for wait in waits) or 'none'}{', FAULTS ' + str(faults) if faults else ''}")
        return summary(kills) | {"rtt_ms": rtt_ms, "shaper": wan.shaper if wan else None, "each": kills}


def count_met(kills):
    """Of the kills, those of a stage that some stream was on."""
    return sum(any(row["moved"] or row["error"] for row in kill["streams"]) for kill in kills)


def summary(kills):
    rows = [row for kill in kills for row in kill["streams"]]
    moved = [row for row in rows if row["wait_s"] is not None]
    out = {"kills": len(kills), "streams": len(rows), "moved": sum(row["moved"] for row in rows),
           "kills_that_met_a_stream": count_met(kills),
           "without_receipt": sum("no_receipt" in row for row in rows)}
    for name in ("failed", "lost", "repeated", "different"):
        out[name] = sum(row.get("fault") == name for row in rows)
    out["errors"] = sorted({row["error"] for row in rows if row["error"]})
    for name in ("wait_s", "noticed_s", "replay_s"):
        values = sorted(row[name] for row in moved)
        out[name] = {"median": statistics.median(values), "p90": values[len(values) * 9 // 10],
                     "max": values[-1]} if values else None
    return out


def measure(options, folder):
    return {"rows": [measure_distance(options, folder, options.rtt_ms or 0.0)]}


def show(result):
    print("\n| RTT | kills (met a stream) | streams moved | failed / lost / repeated / different | "
          "wait: median, p90, max | until noticed | replay |\n|---|---|---|---|---|---|---|")
    cell = lambda value: "-" if value is None else " / ".join(f"{value[k]:.2f}" for k in ("median", "p90", "max")) + " s"
    for row in result["rows"]:
        bar = BAR_DISTANT_S if row["rtt_ms"] else BAR_LOOPBACK_S
        # On loopback the replay comes on top of the bar.
        barred = row["wait_s" if row["rtt_ms"] else "noticed_s"]
        is_met = barred is not None and barred["max"] <= bar
        print(f"| {row['rtt_ms']:g} ms{' by ' + row['shaper'] if row['shaper'] else ''} | {row['kills']} "
              f"({row['kills_that_met_a_stream']}) | {row['moved']} of {row['streams']} | {row['failed']} / {row['lost']} / "
              f"{row['repeated']} / {row['different']} | {cell(row['wait_s'])} (<= {bar:g} s: "
              f"{'met' if is_met else 'missed'}) | {cell(row['noticed_s'])} | {cell(row['replay_s'])} |")
        if row["errors"]:
            print(f"\nerrors: {', '.join(row['errors'])}")
