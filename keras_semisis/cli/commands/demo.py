"""`keras-semisis demo`: a whole training on embedded scenes, in minutes, on two CPU cores."""

import time
from pathlib import Path

from keras_semisis.cli.command import Given, command
from keras_semisis.cli.messages import console, say, scores_table
from keras_semisis.options.demo import DemoOptions

# Below it a scene is blurs of color: 41 steps show road, sky and trees, 360 what docs/results describes
_STEPS_OF_A_PICTURE = 200


@command("demo", DemoOptions)
def demo(given: Given) -> None:
    """Trains on embedded synthetic street scenes for five minutes and shows what came of it."""
    from keras_semisis.recipes import demo as recipe
    from keras_semisis.recipes.terminal_progress import TerminalProgress

    options = given.of(DemoOptions)
    name = options.name or time.strftime("demo-%Y%m%d-%H%M%S")
    results = recipe.demo(
        name,
        options.minutes,
        options.steps,
        options.seed,
        progress=TerminalProgress(console),
        show=lambda columns: console.print(scores_table(columns)),
    )
    done, seconds = results["settings"]["steps_done"], results["settings"]["training_seconds"]
    say(
        f"{done} step{'' if done == 1 else 's'} in {seconds / 60:.1f} minutes of training. "
        f"See {Path('runs') / name / 'grid.png'}"
    )
    if done < _STEPS_OF_A_PICTURE:
        say("So few steps draw only a beginning: blurs in the places of things. More --minutes go further.")
