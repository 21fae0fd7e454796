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
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #8886; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
figure { margin: 1rem 0; display: inline-block; max-width: 100%; }
img { max-width: 100%; background: white; }
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


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


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
    return _image(picture, "Reliability diagram: confidence against the share that was right")


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
    return _image(picture, "Confusion table: what was true against what was said")


def _image(picture: Picture, description: str) -> str:
    made = io.BytesIO()
    picture.savefig(made, format="png", dpi=130)
    data = base64.b64encode(made.getvalue()).decode()
    return f'<figure><img alt="{escape(description)}" src="data:image/png;base64,{data}"></figure>'
