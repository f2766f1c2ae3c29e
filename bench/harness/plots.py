# SPDX-License-Identifier: MIT
# plots.py - bars and lines as inline SVG: no script, no font, nothing from elsewhere.
"""Colours are classes of the page's style sheet, so that a plot follows its theme. Widths are of a
phone; a plot grows with its column."""
import html
import math

WIDTH = 360
LABEL_WIDTH = 142
VALUE_WIDTH = 44
ROW_HEIGHT = 17
FONT_HEIGHT = 4  # From a line's middle to its base.


def number(value, digits=3):
    """Three figures or so, as people read them."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(decimals, digits)}f}"


def bars(rows, title):
    """Horizontal bars. A row is (label, class, value, more, low, high): `more` is added in a
    lighter shade, `low` to `high` is drawn as a whisker; each may be None."""
    longest = max(max((value or 0) + (more or 0), high or 0)
                  for _, _, value, more, _, high in rows)
    space = WIDTH - LABEL_WIDTH - VALUE_WIDTH
    scale = space / longest if longest else 0
    parts = []
    for index, (label, kind, value, more, low, high) in enumerate(rows):
        top = index * ROW_HEIGHT
        middle = top + ROW_HEIGHT / 2
        long = (value or 0) * scale
        parts.append(f'<text x="{LABEL_WIDTH - 6}" y="{middle + FONT_HEIGHT:.1f}" class="label" '
                     f'text-anchor="end">{html.escape(label)}</text>')
        parts.append(f'<rect x="{LABEL_WIDTH}" y="{top + 3}" width="{long:.1f}" '
                     f'height="{ROW_HEIGHT - 6}" class="{kind}"/>')
        end = long
        if more:
            parts.append(f'<rect x="{LABEL_WIDTH + long:.1f}" y="{top + 3}" '
                         f'width="{more * scale:.1f}" height="{ROW_HEIGHT - 6}" '
                         f'class="{kind} more"/>')
            end += more * scale
        if low is not None and high is not None and high > low:
            parts.append(f'<path d="M{LABEL_WIDTH + low * scale:.1f} {middle:.1f}H'
                         f'{LABEL_WIDTH + high * scale:.1f}" class="whisker"/>')
        place = max(end, (high or 0) * scale) + 4
        parts.append(f'<text x="{LABEL_WIDTH + place:.1f}" y="{middle + FONT_HEIGHT:.1f}" '
                     f'class="value">{number((value or 0) + (more or 0))}</text>')
    return _svg(len(rows) * ROW_HEIGHT, "".join(parts), title)


HEIGHT = 220
MARGIN = {"left": 44, "right": 10, "top": 8, "bottom": 32}


def lines(series, title, x_name, y_name):
    """Lines over a linear axis and a logarithmic one. `series` is (label, class, [(x, y), ...])."""
    points = [(x, y) for _, _, line in series for x, y in line if y and y > 0]
    if not points:
        return ""
    x_max = max(x for x, _ in points) * 1.02
    low = math.floor(math.log10(min(y for _, y in points)))
    high = math.ceil(math.log10(max(y for _, y in points)))
    high = max(high, low + 1)
    inner_width = WIDTH - MARGIN["left"] - MARGIN["right"]
    inner_height = HEIGHT - MARGIN["top"] - MARGIN["bottom"]

    def place(x, y):
        share = (math.log10(y) - low) / (high - low)
        return (MARGIN["left"] + x / x_max * inner_width,
                MARGIN["top"] + (1 - share) * inner_height)

    parts = []
    for power in range(low, high + 1):
        _, y = place(0, 10**power)
        parts.append(f'<path d="M{MARGIN["left"]} {y:.1f}H{WIDTH - MARGIN["right"]}" '
                     f'class="grid"/><text x="{MARGIN["left"] - 4}" y="{y + FONT_HEIGHT:.1f}" '
                     f'class="label" text-anchor="end">{_power_text(power)}</text>')
    for step in range(5):
        value = x_max / 1.02 * step / 4
        x, _ = place(value, 10**low)
        anchor = "start" if step == 0 else "end" if step == 4 else "middle"
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - MARGIN["bottom"] + 13}" class="label" '
                     f'text-anchor="{anchor}">{_thousands(value)}</text>')
    for label, kind, line in series:
        places = [place(x, y) for x, y in line if y and y > 0]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts.append(f'<path d="M{path}" class="line {kind}"><title>{html.escape(label)}</title>'
                     f"</path>")
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" class="dot {kind}"/>'
                  for x, y in places]
    parts.append(f'<text x="{MARGIN["left"]}" y="{HEIGHT - 4}" class="label">'
                 f"{html.escape(x_name)}; upwards: {html.escape(y_name)}</text>")
    return _svg(HEIGHT, "".join(parts), title)


def _power_text(power):
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:g}"


def _thousands(value):
    return "0" if not value else f"{value / 1000:,.0f}k" if value >= 1000 else f"{value:,.0f}"


def _svg(height, content, title):
    return (f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="'
            f'{html.escape(title, quote=True)}">{content}</svg>')
