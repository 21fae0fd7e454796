"""Reports: one self-contained HTML file, pictures first."""

import base64
import io
from collections.abc import Sequence
from html import escape

import numpy as np
from matplotlib.figure import Figure as Picture
from numpy.typing import NDArray

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
.lead { font-size: 1.15rem; } .notes { border-left: .25rem solid #c80; padding-left: 2rem; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .25rem; opacity: .8; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #8886; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
td.wrap { white-space: normal; overflow-wrap: anywhere; text-align: left; }
figure { margin: 1rem 0; max-width: 100%; } figure.half { display: inline-block; }
img { max-width: 100%; height: auto; background: white; border-radius: .25rem; }
figcaption { opacity: .8; font-size: .9rem; max-width: 44rem; }
@media (max-width: 40rem) { body { margin: 1rem auto; } th, td { padding: .2rem .5rem; } }
@media print { body { max-width: none; font-size: 10pt; } figure, table, .lead { break-inside: avoid; }
  .scroll { overflow: visible; } td, th { white-space: normal; } a { color: inherit; } }
"""


def page(title: str, parts: Sequence[str]) -> str:
    """An HTML page that needs no other file and asks no other host."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style><h1>{escape(title)}</h1>{''.join(parts)}</html>"
    )


def heading(text: str) -> str:
    """A section's heading."""
    return f"<h2>{escape(text)}</h2>"


def lead(text: str) -> str:
    """The answer in one sentence, before anything else."""
    return f'<p class="lead">{escape(text)}</p>'


def paragraph(text: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{escape(text)}</p>"


def notes(texts: Sequence[str]) -> str:
    """What was left out, assumed or degraded; nothing where there is nothing to say."""
    return "".join(["<ul class=notes>", *(f"<li>{escape(text)}</li>" for text in texts), "</ul>"]) if texts else ""


def table(header: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "", *, wrap: bool = False) -> str:
    """A table of texts; `wrap` breaks long ones, as hashes and paths are, and puts them to the left."""
    kind = ' class="wrap"' if wrap else ""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td{kind if place else ''}>{escape(cell)}</td>" for place, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f'<div class="scroll"><table>{said}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def reliability_picture(bins: Sequence[tuple[float, float, int]]) -> str:
    """Confidence against the share that was right; a calibrated model lies on the diagonal."""
    picture = Picture(figsize=(4.5, 4.5), layout="constrained")
    axes = picture.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, linestyle="--", label="perfectly calibrated")
    axes.plot([b[0] for b in bins], [b[1] for b in bins], marker="o", label="this model")
    for confidence, right, count in bins:
        axes.annotate(str(count), (confidence, right), textcoords="offset points", xytext=(6, -10), fontsize=8)
    axes.set(xlabel="confidence", ylabel="share that was right", xlim=(0.3, 1), ylim=(0, 1), title="Reliability")
    axes.legend(loc="upper left")
    return image(picture, "Reliability diagram: confidence against the share that was right", half=True)


def confusion_picture(counts: NDArray[np.int64], names: Sequence[str]) -> str:
    """What was true against what was said."""
    picture = Picture(figsize=(4.5, 4.5), layout="constrained")
    axes = picture.subplots()
    axes.imshow(counts / counts.sum(axis=1, keepdims=True).clip(1), cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="said", ylabel="true", title="Confusion")
    for i in range(len(names)):
        for j in range(len(names)):
            dark = counts[i, j] > counts[i].sum() / 2
            axes.text(j, i, str(counts[i, j]), ha="center", va="center", color="white" if dark else "black")
    return image(picture, "Confusion table: what was true against what was said", half=True)


def image(picture: Picture, description: str, caption: str = "", *, half: bool = False) -> str:
    """A picture within the page: `description` for those who cannot see it, `caption` for all; `half` as wide."""
    made = io.BytesIO()
    picture.savefig(made, format="svg", metadata={"Date": None})
    data = base64.b64encode(made.getvalue()).decode()
    said = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    kind = ' class="half"' if half else ""
    return f'<figure{kind}><img alt="{escape(description)}" src="data:image/svg+xml;base64,{data}">{said}</figure>'
