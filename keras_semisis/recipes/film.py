"""Photos as a film: GIF by Pillow, MP4 by ffmpeg."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from keras_semisis.data.argument_error import require_choice

FILMS = ("gif", "mp4")
FRAMES_A_SECOND = 12


def check_film(kind: str | None) -> None:
    """Refuses what is no kind of film, or one that cannot be written here.

    Raises:
        ValueError: If there is no such kind.
        FileNotFoundError: If ffmpeg is missing.
    """
    if kind is not None:
        require_choice("video", kind, FILMS)
    if kind == "mp4" and shutil.which("ffmpeg") is None:
        raise FileNotFoundError("--video mp4 needs the program ffmpeg, which is not on the path. --video gif needs none.")


def write_film(frames: Sequence[Path], path: Path) -> Path:
    """Writes a film of PNG files, `FRAMES_A_SECOND`.

    Args:
        frames: Files of one size, in their order.
        path: The film, ``.gif`` or ``.mp4``.

    Returns:
        The film.

    Raises:
        ValueError: If frames differ in size.
        OSError: If ffmpeg fails; its words.
    """
    pictures = []
    for frame in frames:
        with Image.open(frame) as picture:
            pictures.append(picture.convert("RGB"))
        if pictures[-1].size != pictures[0].size:
            raise ValueError(
                f"{frame}: it is {pictures[-1].size}, the frames before are {pictures[0].size}: a film has one size."
            )
    if path.suffix == ".gif":
        pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=round(1000 / FRAMES_A_SECOND), loop=0)
        return path
    width, height = pictures[0].size
    command = ["ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pixel_format", "rgb24"]
    command += ["-video_size", f"{width}x{height}", "-framerate", str(FRAMES_A_SECOND), "-i", "-"]
    # players know no color at every pixel, and no odd sides
    command += ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", str(path)]
    done = subprocess.run(command, input=b"".join(picture.tobytes() for picture in pictures), capture_output=True, check=False)
    if done.returncode:
        raise OSError(f"{path}: ffmpeg failed: {done.stderr.decode(errors='replace').strip()}")
    return path
