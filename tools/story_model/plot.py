#!/usr/bin/python3
"""Draws the loss curves of one or more train.py logs, one run going on from the other.

usage: plot.py OUT.png LOG.tsv [LOG.tsv ..]
"""
import csv
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def main() -> None:
    curves = {"train": [], "heldout_tinystories": [], "heldout_book": []}
    offset = 0
    for path in sys.argv[2:]:
        rows = list(csv.DictReader(open(path), delimiter="\t"))
        for row in rows:
            for name, points in curves.items():
                value = float(row[name])
                if value == value:
                    points.append(((offset + int(row["tokens"])) / 1e6, value))
        offset += int(rows[-1]["tokens"])
    figure, axes = plt.subplots(figsize=(7, 4), dpi=110)
    labels = {"train": "training mix", "heldout_tinystories": "held-out stories", "heldout_book": "held-out book (Aesop)"}
    for name, points in curves.items():
        axes.plot(*zip(*points), marker="o", markersize=3, label=labels[name])
    axes.set_xlabel("million tokens seen")
    axes.set_ylabel("loss, nats per token")
    axes.set_ylim(2, 5.2)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(sys.argv[1])


if __name__ == "__main__":
    main()
