"""The report of a suite: tables, curves of score against ratio and step, and the same label maps through every method."""

import base64
import html
import io
import itertools
import json
import statistics
import textwrap
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.paper.published import Published, published
from benchmarks.paper.settings import METHODS, ONLY_OF, VARIANTS, Cell
from keras_semisis.callbacks.grids import GAP, TITLE, tile_size
from keras_semisis.metrics import SCORES as METRIC_SCORES
from keras_semisis.recipes import PRETRAINED_FEATURE_MATCHING

_BOTH = "semi-paired, D and D_u on frozen features + DiffAugment"
NAMES = {
    "oasis": "OASIS",
    "tcr": "TCR",
    "semi_paired": "semi-paired",
    "usis": "USIS",
    "spade": "SPADE",
    "cc_fpse": "CC-FPSE",
    "A": "A: separate reverse network",
    "B": "B: unfrozen D",
    "C": "C: no feature matching",
    "D": "D: no VGG",
    "E": "E: no rare-class sampling",
    "F": "F: rare classes in the second half",
    "diff_augment": "semi-paired + DiffAugment",
    "judge_pairs": "semi-paired, D_u on pairs as well",
    "cycle_and_tcr": "semi-paired + TCR",
    "pretrained": "semi-paired, D on frozen features",
    "projected": "semi-paired, D_u on frozen features + DiffAugment",
    "pretrained_projected": _BOTH,
    "confident_cycle": f"{_BOTH} + cycle where D is sure",
    "diverse": f"{_BOTH} + diversity loss",
    "focal": f"{_BOTH} + focal weights",
    "pseudo_labels": f"{_BOTH} + pseudo-labels",
    "pretrained_projected_decay": f"{_BOTH} + rates that fall",
    "pretrained_projected_tcr": f"{_BOTH} + TCR",
    "wavelet": "semi-paired, wavelet generator",
    "wavelet_detail_gain": "semi-paired, wavelet generator, quiet details",
    "wavelet_pretrained_projected": f"{_BOTH}, wavelet generator, quiet details",
}
# of the picture: label maps, columns in a line, pixels from one line of a title to the next
_ROWS, _COLUMNS, _LINE = 3, 7, 14
# of nine methods each, in the colors of "tab10" but its gray
_DASHES, _MARKERS, _GRAY = ("-", "--", "-."), "os^", 7
# name, title, digits
_TITLES = {name: score.heading for name, score in METRIC_SCORES.items()}
SCORES = (
    ("frechet", _TITLES["frechet"], 1),
    ("frechet_alexnet", f"{_TITLES['frechet']} (AlexNet)", 2),
    ("frechet_unet", f"{_TITLES['frechet']} (U-Net)", 2),
    ("kid", _TITLES["kid"], 3),
    ("miou", _TITLES["miou"], 3),
)
# of a cell's last state: key, title, the score, that of real images
LAST = (
    ("own_miou", "its own network's mIoU ↑ on unseen photos", "unseen", None),
    ("own_miou", "on its pairs' photos", "pairs", None),
    ("nearest_lpips", _TITLES["nearest_lpips"], "generated", "real"),
)


@dataclass(frozen=True)
class Column:
    """A score of the report: by the suite's own segmenter and feature network, or mIoU by another segmenter."""

    title: str
    digits: int
    # of a cell: None where it has none
    value: Callable[[dict], float | None]
    real: Callable[[dict], float | None]

    def values(self, cells: list[dict]) -> list[float]:
        return [value for cell in cells if (value := self.value(cell)) is not None]

    def real_values(self, cells: list[dict]) -> list[float]:
        """Several where segmenters that were trained on different machines judged."""
        return sorted({round(value, self.digits) for cell in cells if (value := self.real(cell)) is not None})

    def text(self, values: list[float]) -> str:
        return mean_and_deviation(values, self.digits) if values else ""

    def real_text(self, cells: list[dict]) -> str:
        return ", ".join(f"{value:.{self.digits}f}" for value in self.real_values(cells))


def papers(cells: list[dict]) -> Published:
    """The paper's figures for the data of these cells."""
    return published(cells[0]["settings"]["data"])


def columns(cells: list[dict]) -> list[Column]:
    """The scores that these cells have."""
    own = [
        Column(title, digits, lambda cell, key=key: cell["scores"].get(key), lambda cell, key=key: cell["real"].get(key))
        for key, title, digits in SCORES
        if any(key in cell["scores"] for cell in cells)
    ]
    judges = sorted({name for cell in cells for name in cell.get("judged", {})})
    return (
        own
        + [
            Column(
                f"mIoU ↑ ({name})",
                3,
                *(
                    lambda cell, name=name, key=key: cell.get("judged", {}).get(name, {}).get(key)
                    for key in ("miou", "miou_real")
                ),
            )
            for name in judges
        ]
        + [
            Column(title, 3, *(lambda cell, key=key, part=part: cell.get(key, {}).get(part) for part in (generated, real)))
            for key, title, generated, real in LAST
            if any(generated in cell.get(key, {}) for cell in cells)
        ]
    )


def read_cells(output: Path) -> list[dict]:
    """The results of a suite, by ratio and method.

    Raises:
        ValueError: If there are none.
    """
    found = [json.loads(path.read_text()) for path in sorted((output / "cells").glob("*.json"))]
    if not found:
        raise ValueError(f"--output {output}: no cell has a result yet.")
    return sorted(found, key=lambda cell: (cell["ratio"], METHODS.index(cell["method"]), cell["seed"]))


def cell_name(result: dict) -> str:
    return Cell(result["method"], result["ratio"], result["seed"]).name


def groups(cells: list[dict]) -> dict[tuple[str, float], list[dict]]:
    """The seeds of each method and ratio."""
    grouped = defaultdict(list)
    for cell in cells:
        grouped[cell["method"], cell["ratio"]].append(cell)
    return dict(grouped)


def percent(ratio: float) -> str:
    """
    >>> percent(0.005), percent(0.29)
    ('0.5%', '29%')
    """
    return f"{100 * ratio:g}%"


def mean_and_deviation(values: list[float], digits: int) -> str:
    """
    >>> mean_and_deviation([1.0, 2.0], 1), mean_and_deviation([1.0], 2)
    ('1.5 ± 0.7', '1.00')
    """
    text = f"{statistics.fmean(values):.{digits}f}"
    return text if len(values) == 1 else f"{text} ± {statistics.stdev(values):.{digits}f}"


def table(cells: list[dict]) -> tuple[list[str], list[list[str]]]:
    """Head and rows: scores, the paper's, and what a method costs."""
    scores, paper = columns(cells), papers(cells)
    head = [
        "r",
        "method",
        "seeds",
        *(score.title for score in scores),
        f"paper, {paper.data_set}: FID ↓ / mIoU ↑",
        "G's parameters, 10⁶",
        "s per step",
        "peak GB",
    ]
    rows = []
    for (method, ratio), group in groups(cells).items():
        rows.append(
            [
                percent(ratio),
                NAMES[method],
                str(len(group)),
                *(score.text(score.values(group)) for score in scores),
                " / ".join(map(str, paper.figures.get((method, ratio), ()))),
                f"{group[0]['parameters']['generator'] / 1e6:.2f}",
                mean_and_deviation([cell["seconds_per_step"] for cell in group], 2),
                f"{max(cell['peak_memory_bytes'] for cell in group) / 1e9:.1f}",
            ]
        )
    rows.append(["", "real images", "", *(score.real_text(cells) for score in scores), "", "", "", ""])
    return head, rows


def loss_table(cells: list[dict]) -> tuple[list[str], list[list[str]]]:
    """Each cell's loss terms, and the steps that they are the mean over: older cells know those of one process alone."""
    return ["cell", "mean over", "loss terms"], [
        [
            cell_name(cell),
            "steps {}–{}".format(*cell["losses_steps"]) if "losses_steps" in cell else "its last process",
            ", ".join(f"{name} {value:.3g}" for name, value in cell["losses"].items()),
        ]
        for cell in cells
    ]


def look(method: str) -> dict[str, Any]:
    """How a method is drawn: in every report the same, and as no other is."""
    import matplotlib

    colors = [color for place, color in enumerate(matplotlib.colormaps["tab10"].colors) if place != _GRAY]
    turn, place = divmod(METHODS.index(method), len(colors))
    return {"color": colors[place], "linestyle": _DASHES[turn], "marker": _MARKERS[turn]}


def _panels(rows, columns, size, **shared):
    """A figure of so many panels, each of a size in inches, and the panels, ``(rows, columns)``."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(size[0] * columns, size[1] * rows + 1), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **shared)


def _finish(figure, path):
    """Adds the legend of all lines, each once, and writes the file."""
    import matplotlib.pyplot as plt
    from PIL import Image

    lines = {name: line for axis in figure.axes for line, name in zip(*axis.get_legend_handles_labels(), strict=True)}
    in_a_row = max(1, int(figure.get_figwidth() // 5))
    figure.legend(list(lines.values()), list(lines), loc="outside lower center", ncols=in_a_row, fontsize=8)
    memory = io.BytesIO()
    figure.savefig(memory, dpi=100)
    plt.close(figure)
    _save(Image.open(memory).convert("RGB"), path)


def curves(cells: list[dict], path: Path) -> None:
    """Score against ratio, a line for each method."""
    shown = [score for score in columns(cells) if score.title.startswith(("Fréchet", "mIoU"))]
    wide = min(len(shown), 3)
    figure, axes = _panels(-(-len(shown) // wide), wide, (5, 4))
    for score, axis in zip(shown, axes.flat, strict=False):
        lines = defaultdict(list)
        for (method, ratio), group in groups(cells).items():
            if values := score.values(group):
                deviation = statistics.stdev(values) if len(values) > 1 else 0
                lines[method].append((100 * ratio, statistics.fmean(values), deviation))
        for method, points in lines.items():
            axis.errorbar(*zip(*sorted(points), strict=True), capsize=3, **look(method), label=NAMES[method])
        for value in score.real_values(cells):
            line = axis.axhline(value, color="black", linestyle=":")
        if score.real_values(cells):
            line.set_label("real images")
        axis.set(title=score.title, xlabel="labeled photos, %")
    for axis in axes.flat[len(shown) :]:
        axis.remove()
    _finish(figure, path)


def training_curves(cells: list[dict], path: Path) -> None:
    """Score against step, a row for each ratio and a line for each method, the mean over its seeds."""
    shown = [(key, title) for key, title, _ in SCORES if key != "kid" and any(key in cell["scores"] for cell in cells)]
    ratios = sorted({cell["ratio"] for cell in cells})
    figure, axes = _panels(len(ratios), len(shown), (4, 2.6), sharex=True)
    for (method, ratio), group in groups(cells).items():
        for (key, title), axis in zip(shown, axes[ratios.index(ratio)], strict=True):
            by_step = defaultdict(list)
            for record in itertools.chain.from_iterable(cell["history"] for cell in group):
                if key in record:
                    by_step[record["step"]].append(record[key])
            points = [(step, statistics.fmean(values)) for step, values in sorted(by_step.items()) if len(values) == len(group)]
            if points:
                axis.plot(*zip(*points, strict=True), **look(method), markersize=3, label=NAMES[method])
            axis.set_title(f"r = {percent(ratio)}: {title}", fontsize=9)
    for axis in axes[-1]:
        axis.set_xlabel("training step")
    _finish(figure, path)


def _wrapped(name):
    """A method's name in lines that are no wider than its column."""
    return [line for part in name.split(": ") for line in textwrap.wrap(part, 20)]


def picture(cells: list[dict], output: Path, path: Path) -> None:
    """The same label maps through every method: label map and photo, then a column for each cell of the smallest seed."""
    from PIL import Image, ImageDraw, ImageFont

    first = [group[0] for group in groups(cells).values()]
    grids = [(cell, output / "cells" / f"{cell_name(cell)}.png") for cell in first]
    grids = [(cell, Image.open(file).convert("RGB")) for cell, file in grids if file.exists()]
    if not grids:
        return
    width, height = (side + GAP for side in tile_size(*cells[0]["settings"]["image_size"]))
    height *= _ROWS

    def column(grid, number):
        left, top = GAP + number * width, TITLE + GAP
        return grid.crop((left, top, left + width, top + height))

    columns = [(["label map"], column(grids[0][1], 0)), (["real"], column(grids[0][1], 1))]
    columns += [([*_wrapped(NAMES[cell["method"]]), f"r = {percent(cell['ratio'])}"], column(grid, 2)) for cell, grid in grids]
    lines = lines_of([grids[0][0]["ratio"]] * 2 + [cell["ratio"] for cell, _ in grids], _COLUMNS)
    title = max(len(words) for words, _ in columns) * _LINE + 2 * GAP
    whole = Image.new("RGB", (GAP + width * max(map(len, lines)), len(lines) * (height + title)), "white")
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(12)
    for line, numbers in enumerate(lines):
        for place, number in enumerate(numbers):
            words, tiles = columns[number]
            left, top = GAP + place * width, line * (height + title)
            for i, text in enumerate(words):
                draw.text((left, top + GAP + i * _LINE), text, fill="black", font=font)
            whole.paste(tiles, (left, top + title))
    _save(whole, path)


def _save(whole, path):
    """As a PNG of 256 colors, rare ones too: less than half the file."""
    from PIL import Image

    whole.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=3).save(path, optimize=True)


def lines_of(ratios: list[float], most: int) -> list[list[int]]:
    """The columns of each line of the picture, by number: those of a ratio stand in one line where they fit.

    >>> lines_of([0.05, 0.05, 0.1, 0.1, 0.2], 3), lines_of([0.1] * 4, 3)
    ([[0, 1], [2, 3, 4]], [[0, 1, 2], [3]])
    """
    lines = []
    for _, group in itertools.groupby(range(len(ratios)), ratios.__getitem__):
        group = list(group)
        if lines and len(lines[-1]) + len(group) <= most:
            lines[-1] += group
        else:
            lines += [group[first : first + most] for first in range(0, len(group), most)]
    return lines


def explanation(cells: list[dict]) -> str:
    """What the tables show."""
    paper = papers(cells)
    return (
        f"Every method has the same split, feature network ({cells[0]['settings']['features']}), generator widths, batch, "
        "steps and precision, and, unless its name has DiffAugment, the same augmentation. A score is the mean over a cell's "
        "last three evaluations; mIoU by another segmenter, named in brackets, a network's own mIoU, and LPIPS to the nearest "
        "photo are of its last state. ± is the standard deviation "
        f"over seeds. {_judged_by(cells)}{_never_saw(cells)} Loss terms are means over the steps that their table names. The "
        f"paper's figures are of {paper.data_set} at {'×'.join(map(str, paper.image_size))} with Inception features: they "
        "compare among themselves alone."
    )


def _never_saw(cells):
    if not any("frechet_unet" in cell["scores"] for cell in cells):
        return ""
    return (
        " Three networks measure distances: that named above, AlexNet, and the bottleneck of the suite's U-Net, which "
        "never saw ImageNet; a claim counts where all three agree. None is of the family of one that trains."
    )


def _judged_by(cells):
    differing = next((score for score in columns(cells) if len(score.real_values(cells)) > 1), None)
    if differing is None:
        return "All cells were judged by the same segmenter."
    by_real = defaultdict(list)
    for cell in cells:
        by_real[differing.real_text([cell])].append(cell_name(cell))
    listed = "; ".join(f"{value} for {', '.join(names)}" for value, names in by_real.items() if value)
    return (
        "Real images have several scores because cells were judged by segmenters that were trained on different machines: "
        f"{differing.title} {listed}."
    )


def settings_text(cells: list[dict]) -> str:
    """The settings of the methods that have them; where cells differ in one, which cells have what."""
    parts = []
    for name in cells[0]["settings"]:
        # the columns say who judged
        if name in ("profile", "judges"):
            continue
        by_value = defaultdict(list)
        for cell in cells:
            if cell["method"] in ONLY_OF.get(name, METHODS):
                by_value[_shown(name, cell["settings"].get(name))].append(cell_name(cell))
        values = [value if len(by_value) == 1 else f"{value} ({', '.join(names)})" for value, names in by_value.items()]
        if values:
            parts.append(f"{name.replace('_', ' ')} {', '.join(values)}")
    text = ", ".join(parts)
    apart = [method for method in dict.fromkeys(cell["method"] for cell in cells) if method in VARIANTS]
    return text + "".join(f". {NAMES[method]} has: {_of_variant(VARIANTS[method])}" for method in apart)


def _of_variant(options):
    """What a variant has in place of the suite's settings."""
    chosen = {"feature_matching_weight": PRETRAINED_FEATURE_MATCHING, "r1_gamma": 0.0}  # where it leaves that to the command
    return ", ".join(
        f"{name.replace('_', ' ')} {chosen[name] if value is None else _shown(name, value)}" for name, value in options.items()
    )


def _shown(name, value):
    return "×".join(map(str, value)) if name in ("image_size", "load_size") and value else str(value)


def write_report(output: Path) -> Path:
    """Writes report.md, report.html (which needs no other file), curves.png, training.png and grids.png.

    Raises:
        ValueError: If no cell has a result.
    """
    cells = read_cells(output)
    curves(cells, output / "curves.png")
    training_curves(cells, output / "training.png")
    picture(cells, output, output / "grids.png")
    parts = [
        ("h1", "The paper's comparison"),
        ("p", explanation(cells)),
        ("p", f"Settings ({cells[0]['settings']['profile'].upper()} profile): {settings_text(cells)}."),
        ("table", table(cells)),
        ("img", "curves.png"),
        ("img", "training.png"),
        ("img", "grids.png"),
        ("h2", "Loss terms"),
        ("table", loss_table(cells)),
    ]
    parts = [(kind, content) for kind, content in parts if kind != "img" or (output / content).exists()]
    (output / "report.md").write_text("\n\n".join(_markdown(*part) for part in parts) + "\n")
    body = "\n".join(_html(output, *part) for part in parts)
    style = (
        "body{font-family:sans-serif;max-width:70em;margin:2em auto} td,th{padding:.2em .8em;text-align:left} "
        "img{max-width:100%}"
    )
    (output / "report.html").write_text(
        f'<!doctype html><meta charset="utf-8"><title>The paper\'s comparison</title><style>{style}</style>\n{body}\n'
    )
    return output / "report.md"


def _markdown(kind, content):
    if kind == "table":
        head, rows = content
        return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))
    return {"h1": "# {}", "h2": "## {}", "p": "{}", "img": "![]({})"}[kind].format(content)


def _html(output, kind, content):
    if kind == "img":
        data = base64.b64encode((output / content).read_bytes()).decode()
        return f'<img src="data:image/png;base64,{data}">'
    if kind == "table":
        head, rows = content
        rows = [("th", head), *(("td", row) for row in rows)]
        lines = ["<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>" for tag, row in rows]
        return "<table>" + "\n".join(lines) + "</table>"
    return f"<{kind}>{html.escape(content)}</{kind}>"
