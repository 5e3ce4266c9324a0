"""The ratios as a plot: one group of bars for each work, on a logarithmic scale around the line of ext4."""

import math
from html import escape

from places import EXT4
from report import quotient, ratio, summarize

COLORS = {"view": "#2563eb", "bindfs": "#d97706", "mergerfs": "#7c8794", "fuse-overlayfs": "#a8559b"}
LEFT, WIDTH, BAR, GAP, TOP, RIGHT = 230, 560, 11, 12, 70, 70


def svg(works):
    """Text of an SVG file. It brings its own background, so that it can be read on any page."""
    names = [name for name in next(iter(works.values()))["places"] if name != EXT4]
    groups = []
    for work in works.values():
        walls = {name: summarize(samples).wall_s for name, samples in work["places"].items()}
        groups.append((work["title"], [(name, quotient(walls[name], walls[EXT4])) for name in names]))
    values = [value for _, bars in groups for _, value in bars]
    low, high = min(0.5, *values), max(2.0, *values)
    first, last = math.floor(math.log2(low)), math.ceil(math.log2(high))

    def x(value):
        return LEFT + WIDTH * (math.log2(value) - first) / (last - first)

    step = len(names) * BAR + GAP
    height = TOP + len(groups) * step + 20
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + RIGHT}" height="{height}" '
           'font-family="sans-serif" font-size="12">',
           '<rect width="100%" height="100%" fill="#ffffff"/>',
           f'<text x="{LEFT}" y="20" font-size="14" fill="#111827">Time in ratio to ext4 (medians; less is '
           'better)</text>']
    at = LEFT
    for name in names:
        out.append(f'<rect x="{at}" y="32" width="11" height="11" fill="{COLORS.get(name, "#444444")}"/>')
        out.append(f'<text x="{at + 16}" y="42" fill="#111827">{escape(name)}</text>')
        at += 34 + 7 * len(name)
    for power in range(first, last + 1):
        line = x(2.0 ** power)
        color = "#111827" if power == 0 else "#e5e7eb"
        out.append(f'<line x1="{line:.1f}" y1="{TOP - 6}" x2="{line:.1f}" y2="{height - 14}" stroke="{color}"/>')
        out.append(f'<text x="{line:.1f}" y="{TOP - 10}" text-anchor="middle" font-size="10" fill="#4b5563">'
                   f'{2.0 ** power:g}</text>')
    for number, (title, bars) in enumerate(groups):
        y = TOP + number * step
        out.append(f'<text x="{LEFT - 10}" y="{y + step / 2 - 2:.1f}" text-anchor="end" fill="#111827">'
                   f'{escape(title)}</text>')
        for name, value in bars:
            begin, end = sorted((x(1.0), x(value)))
            out.append(f'<rect x="{begin:.1f}" y="{y}" width="{max(end - begin, 1):.1f}" height="{BAR - 2}" '
                       f'fill="{COLORS.get(name, "#444444")}"/>')
            out.append(f'<text x="{end + 4:.1f}" y="{y + 8}" font-size="9" fill="#4b5563">{ratio(value)}</text>')
            y += BAR
    out.append("</svg>")
    return "\n".join(out) + "\n"
