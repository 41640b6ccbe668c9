"""`keras-semisis runs`: run folders side by side."""

import json

from rich.table import Table

from keras_semisis.cli.command import Given, command
from keras_semisis.cli.messages import console, say
from keras_semisis.options.runs import RunsOptions

# columns of a terminal in which a picture's path has room
_WIDE = 120


@command("runs", RunsOptions)
def runs(given: Given) -> None:
    """Lists run folders: method, data, ratio, steps, scores of the last evaluation, newest picture."""
    from keras_semisis.metrics.table import SCORES
    from keras_semisis.recipes.runs import read_runs

    options = given.of(RunsOptions)
    found = read_runs(options.folders, options.sort)
    if options.json:
        console.print_json(json.dumps(found))
        return
    if not found:
        say(f"There is no run in {', '.join(map(str, options.folders))}.")
        return
    scores = [name for name in SCORES if any(name in run["scores"] for run in found)]
    table = Table()
    table.add_column("run", overflow="fold")
    for title in ("method", "data", "ratio", "size", "seed", "steps"):
        table.add_column(title, no_wrap=True)
    for name in scores:
        table.add_column(SCORES[name].heading, justify="right")
    wide = console.width >= _WIDE
    if wide:
        table.add_column("picture", overflow="fold")
    for run in found:
        size = run["image_size"] and "x".join(map(str, run["image_size"]))
        facts = (run["method"], str(run["data"]).partition(":")[0], run["ratio"], size, run["seed"])
        cells = ["–" if fact is None else str(fact) for fact in facts]
        of = f" of {run['of']}" if run["of"] not in (None, run["steps"]) else ""
        of += "" if run["minutes"] is None else f", at most {run['minutes']:g} min"
        values = [f"{run['scores'][name]:.4g}" if name in run["scores"] else "–" for name in scores]
        table.add_row(run["folder"], *cells, f"{run['steps']}{of}", *values, *([run["grid"] or "–"] if wide else []))
    console.print(table)
