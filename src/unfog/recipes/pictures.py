"""Which pictures a recipe learns from, and opening them; and single pictures that are given to a command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import Field

from unfog.config import Config
from unfog.data import Options, PictureStore, open_pictures
from unfog.data.decode import decode_picture
from unfog.errors import DataError, TrainError
from unfog.recipes.listen import Listener


class PicturesConfig(Config):
    """Which pictures.

    Attributes:
        source: folder, archive, table, name of a set, or "hub:OWNER/NAME".
        size: side in pixels; chosen from the data when left out.
        channels: 1 or 3; chosen from the data when left out.
        held_out: share kept apart, to validate and to compare with.
        ground: what shows under transparent pictures: a colour ("white", "#rrggbb"), a grey level, or
            "random", another colour for each picture.
        image, label, caption: columns of a table, where the guess by their names is not what you want;
            several for captions, with commas between.
    """

    source: str
    size: int | None = Field(default=None, ge=4, le=1024)
    channels: int | None = None
    held_out: float = Field(default=0.1, gt=0, lt=1)
    ground: int | str = "white"
    image: str | None = None
    label: str | None = None
    caption: str | None = None

    def columns(self) -> dict[str, str]:
        """The columns that were named, by what they hold."""
        named = {"image": self.image, "label": self.label, "caption": self.caption}
        return {what: name for what, name in named.items() if name is not None}


def open_store(data: PicturesConfig, listener: Listener, *, buckets: bool = False) -> PictureStore:
    """The pictures that the settings name; with ``buckets`` at their own shapes as well.

    Raises:
        TrainError: if there are fewer than two.
    """
    store = open_pictures(
        data.source,
        size=data.size,
        channels=data.channels,
        held_out=data.held_out,
        ground=data.ground,
        buckets=buckets,
        options=Options(image=data.image, label=data.label, caption=data.caption),
        progress=lambda done, total: listener.phase("Reading pictures", done, total),
    )
    if len(store.train) == 0 or len(store.held_out) == 0:
        raise TrainError(f"{data.source} holds {len(store)} picture(s): training needs at least two.")
    for line in store.summary().splitlines():
        listener.say(line)
    return store


def read_picture(path: str | Path, size: int, channels: int) -> np.ndarray:
    """One picture file, its central square at a size, uint8 (size, size, channels).

    Raises:
        DataError: there is no such file, or it is no picture.
    """
    if not Path(path).is_file():
        raise DataError(f"There is no picture {path}. Give the file of one: a PNG, JPEG, WebP, ...")
    try:
        return decode_picture(Path(path), size, channels)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
