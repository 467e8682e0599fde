"""Fashion-MNIST: 60,000 + 10,000 grey pictures of clothes, 28 x 28, ten classes, from a Debian package."""

from __future__ import annotations

import shutil
from pathlib import Path

from unfog.data.fetch import Progress, only_file, run_client, verify
from unfog.errors import DataError

PACKAGE = "dataset-fashion-mnist"
VERSION = "0.0~git20200523.55506a9-1"
BYTES = 30_900_652
CLASSES = (
    *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)

# sha256 of the unpacked content, so that a rebuilt package with the same pictures is as good
FILES = {
    "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
_ELSEWHERE = f"On a system without apt, give a folder with the files {', '.join(FILES)} as data."


def fetch_fashion(folder: Path, progress: Progress | None = None) -> None:
    """Get the package with apt-get, unpack it with dpkg-deb (nothing is installed), and keep the four files.

    Args:
        folder: an empty folder.
        progress: called with (bytes here, bytes in all).

    Raises:
        DataError: apt-get is missing or fails, or the content is not Fashion-MNIST.
    """
    work = folder / "work"
    work.mkdir()
    # apt leaves its rights for a user that may not write here; as root it then warns and goes on
    try:
        run_client(
            ["apt-get", "download", f"{PACKAGE}={VERSION}"],
            work,
            elsewhere=_ELSEWHERE,
            progress=progress,
            total=BYTES,
        )
    except DataError:
        if shutil.which("apt-get") is None:
            raise
        # another release of the system has another version; what counts is the content, which is verified
        hint = f"Refresh the lists with: sudo apt-get update. {_ELSEWHERE}"
        run_client(["apt-get", "download", PACKAGE], work, elsewhere=hint, progress=progress, total=BYTES)
    package = only_file(work, "*.deb")
    run_client(["dpkg-deb", "-x", package.name, "root"], work, elsewhere=_ELSEWHERE)
    keep_files(work / "root", folder)
    shutil.rmtree(work)


def keep_files(root: Path, folder: Path) -> None:
    """Verify the four files in an unpacked package and move them, with the licence, to ``folder``.

    Raises:
        DataError: one is missing, or is another one.
    """
    for name, sha in FILES.items():
        path = root / "usr" / "share" / "datasets" / "fashion-mnist" / name
        if not path.is_file():
            raise DataError(
                f"The package {PACKAGE} does not hold {name!r}; it may have changed. {_ELSEWHERE}"
            )
        verify(path, sha, unpacked=True)
        shutil.move(path, folder / name)
    licence = root / "usr" / "share" / "doc" / PACKAGE / "copyright"
    if licence.is_file():
        shutil.copyfile(licence, folder / "LICENCE.txt")
