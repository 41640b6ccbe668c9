"""`keras-semisis paint`: a page to paint label maps on."""

from rich.text import Text

from keras_semisis.cli.command import Given, command
from keras_semisis.cli.messages import console, say
from keras_semisis.options.paint import PaintOptions
from keras_semisis.paint import LOOPBACK


@command("paint", PaintOptions)
def paint(given: Given) -> None:
    """Serves a page on this machine on which label maps are painted, beside the photo that a model draws of them."""
    import webbrowser

    from keras_semisis.recipes import painting

    options = given.of(PaintOptions)
    if options.host not in LOOPBACK:
        warning = f" --host {options.host}: whoever reaches this machine can paint, and keep it busy. There is no password."
        console.print(Text.assemble(("Warning:", "bold yellow"), warning), soft_wrap=True)

    def opened(address: str) -> None:
        say(f"Paint at {address} (Ctrl+C ends it)")
        if options.browser:
            webbrowser.open(address)

    painting.serve(painting.open_easel(options), options.host, options.port, opened)
