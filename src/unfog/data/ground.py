"""What shows under a transparent picture: white, any colour, or another colour for each picture.

A cut-out has no ground of its own. With one fixed colour a model learns that colour as part of every
picture; with a random one it learns that the ground means nothing. The random colour follows from the
picture's name, so that the same data are the same pictures every time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from PIL import ImageColor

from unfog.errors import DataError

Colour = tuple[int, int, int]
"""Red, green and blue, 0..255."""

RANDOM = "random"


@dataclass(frozen=True)
class Ground:
    """The ground of a set of pictures.

    Attributes:
        colour: the same for all pictures; None is another one for each.
    """

    colour: Colour | None = (255, 255, 255)

    @classmethod
    def of(cls, given: int | str) -> Ground:
        """Read what a user wrote.

        Args:
            given: a grey level 0..255, a name as in CSS ('white', 'skyblue'), '#rrggbb', or 'random'.

        Raises:
            DataError: it is none of these.
        """
        text = str(given).strip().lower()
        if text == RANDOM:
            return cls(None)
        if text.lstrip("-").isdecimal():
            if not 0 <= int(text) <= 255:
                raise DataError(f"The ground {given} is not a grey level. Give 0 (black) to 255 (white).")
            return cls((int(text),) * 3)
        try:
            red, green, blue = ImageColor.getrgb(text)[:3]
        except ValueError:
            raise DataError(
                f"The ground {given!r} is no colour. Give a name like 'white', '#rrggbb', a grey level, "
                "or 'random' for another colour under each picture."
            ) from None
        return cls((red, green, blue))

    def under(self, name: str) -> Colour:
        """The colour under the picture of this name."""
        if self.colour is not None:
            return self.colour
        red, green, blue = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:3]
        return red, green, blue
