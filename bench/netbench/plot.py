# SPDX-License-Identifier: Apache-2.0
"""Lines over time as SVG, one panel below the other."""
import html

WIDTH, PANEL, LEFT, TOP = 900, 220, 60, 24
COLOURS = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf"]


def panel(title, lines, offset):
    points = [point for _, line in lines for point in line] or [(0, 0)]
    x_max, y_max = max(x for x, _ in points) or 1, max(y for _, y in points) or 1
    place = lambda x, y: (f"{LEFT + x / x_max * (WIDTH - LEFT - 90):.1f},"
                          f"{offset + TOP + (1 - y / y_max) * (PANEL - 2 * TOP):.1f}")
    out = [f'<text x="{LEFT}" y="{offset + 14}">{html.escape(title)}</text>']
    for share in (0, 0.5, 1):
        x, y = place(0, share * y_max).split(",")
        out.append(f'<path d="M{x},{y}H{WIDTH - 90}" stroke="#ddd"/><text x="4" y="{y}">{share * y_max:.4g}</text>')
    out.append(f'<text x="{WIDTH - 150}" y="{offset + PANEL - 4}">{x_max:.0f} s</text>')
    for i, (name, line) in enumerate(lines):
        colour = COLOURS[i % len(COLOURS)]
        out.append(f'<polyline fill="none" stroke="{colour}" points="{" ".join(place(x, y) for x, y in line)}"/>')
        out.append(f'<text x="{WIDTH - 80}" y="{offset + TOP + 10 + 16 * i}" fill="{colour}">{html.escape(name)}</text>')
    return "".join(out)


def stacked(panels) -> str:
    """Of (title, [(name of a line, [(second, value), ..]), ..]) each."""
    body = "".join(panel(title, lines, i * PANEL) for i, (title, lines) in enumerate(panels))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{len(panels) * PANEL}" font-family="sans-serif" '
            f'font-size="12"><rect width="100%" height="100%" fill="white"/>{body}</svg>\n')
