"""What software is good for: the descriptions of all packages of a Debian system, with their synopses.

Every package has a long description, written by the person who packs it, and one line that says the same:
some 60,000 pairs of text and summary, and 22 million characters of plain English. ``apt-get`` brings them as
an index file, signed by the distribution. Lists and settings of the machine are not touched: apt-get works in
a folder of the cache, with settings of its own, and needs no root.

The distribution corrects its index now and then, so there is no fixed hash: apt-get verifies the signature,
and here only number and shape are checked.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from unfog.data.cache import save_bytes
from unfog.data.fetch import Progress, run_client
from unfog.data.split import families
from unfog.errors import DataError

PAIRS, TEXTS, RELEASE = "synopses.jsonl", "descriptions.jsonl", "release.txt"
VERSION = "1"
BYTES = 85_000_000
SHORTEST, LONGEST = 80, 1_500
"""Characters of a description that is worth a summary: below, there is nothing to leave out; above, it is a
manual."""

LEAST = 10_000
"""Descriptions below which an index cannot be that of a whole distribution."""

_ELSEWHERE = "These come with Debian and its kin; elsewhere give a jsonl file with text and target."
_SETTINGS = """\
#clear Acquire::Languages;
Acquire::Languages {{ "en"; }};
#clear Acquire::GzipIndexes;
Acquire::GzipIndexes "false";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Sandbox::User "root";
Dir::State::lists "{folder}/lists";
Dir::Cache "{folder}/cache";
"""
_STANZA = re.compile(r"Package: (\S+)\n(?:[\w-]+: .*\n)*?Description-en: (.*)\n((?: .*\n)+)")


@dataclass(frozen=True)
class Described:
    """One package.

    Attributes:
        package: its name.
        synopsis: one line.
        text: the long description; paragraphs are parted by a blank line, points of a list stand in lines.
    """

    package: str
    synopsis: str
    text: str


def fetch_descriptions(folder: Path, progress: Progress | None = None) -> None:
    """Get the index with apt-get and keep pairs, texts and the name of the release.

    Args:
        folder: an empty folder.
        progress: called with (bytes here, bytes in all).

    Raises:
        DataError: apt-get is missing or fails, or there is no such index.
    """
    work = folder / "work"
    (work / "lists" / "partial").mkdir(parents=True)
    (work / "cache" / "archives" / "partial").mkdir(parents=True)
    save_bytes(work / "apt.conf", _SETTINGS.format(folder=work.resolve()).encode())
    failed: DataError | None = None
    try:
        command = ["apt-get", "-c", "apt.conf", "update"]
        run_client(command, work, elsewhere=_ELSEWHERE, progress=progress, total=BYTES)
    except DataError as error:
        failed = error  # one of several sources may be out of reach, and another one enough
    index = _main_index(work / "lists")
    if index is None:
        raise failed or DataError(f"apt-get brought no English descriptions. {_ELSEWHERE}")
    keep_descriptions(index, folder)
    shutil.rmtree(work)


def _main_index(lists: Path) -> Path | None:
    """The index of the distribution itself: the largest one."""
    found = sorted(lists.glob("*_main_i18n_Translation-en"), key=lambda path: path.stat().st_size)
    return found[-1] if found else None


def keep_descriptions(index: Path, folder: Path) -> None:
    """Write synopses.jsonl (text, target, group, package) and descriptions.jsonl (text, group, package).

    Args:
        index: Translation-en, in a folder with the Packages and InRelease files of the same source.
        folder: where to.

    Raises:
        DataError: it is not the index of a whole distribution.
    """
    found = [each for each in parse(index.read_text("utf-8", "replace")) if each.text and each.synopsis]
    if len(found) < LEAST:
        raise DataError(f"{index.name!r} holds {len(found):,} descriptions, not those of a distribution.")
    place = index.name.partition("_main_i18n_")[0]
    sources: dict[str, str] = {}
    for packages in sorted(index.parent.glob(f"{place}_main_binary-*_Packages")):
        with packages.open(encoding="utf-8", errors="replace") as lines:
            sources |= source_names(lines)
    groups = group_names(found, sources)
    texts, pairs = [], []
    for each, name in zip(found, groups, strict=True):
        known = {"group": name, "package": each.package}
        texts.append({"text": each.text, **known})
        if SHORTEST <= len(each.text) <= LONGEST:
            pairs.append({"text": each.text, "target": each.synopsis, **known})
    for file, rows in ((TEXTS, texts), (PAIRS, pairs)):
        lines_ = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        save_bytes(folder / file, "".join(lines_).encode())
    release = index.with_name(f"{place}_InRelease")
    told = release.read_text("utf-8", "replace") if release.is_file() else ""
    match = re.search(r"^Description: (.+)$", told, re.MULTILINE)
    save_bytes(folder / RELEASE, f"{match[1] if match else 'unknown release'}\n".encode())


def parse(index: str) -> Iterator[Described]:
    """The packages of a Translation-en file, in its order."""
    for stanza in index.split("\n\n"):
        if match := _STANZA.match(stanza.rstrip("\n") + "\n"):
            yield Described(match[1], " ".join(match[2].split()), unwrap(match[3]))


def unwrap(lines: str) -> str:
    """A long description without its line breaks.

    In the index every line starts with a space; ' .' alone parts paragraphs; two spaces or a bullet start a
    line that is kept, and deeper ones after it belong to it.
    """
    out: list[str] = []
    depth = -1  # indentation of the list item that is open; -1 in a paragraph
    for line in lines.splitlines():
        body = line[1:]
        words = " ".join(body.split())
        indent = len(body) - len(body.lstrip())
        if not words or words == ".":
            out.append("")
            depth = -1
        elif re.match(r"[*+•-] ", words) or (indent and (depth < 0 or indent <= depth)):
            out.append(words)
            depth = indent
        elif not out or not out[-1] or (not indent and depth >= 0):
            out.append(words)
            depth = -1
        else:
            out[-1] += f" {words}"
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip("\n")


def source_names(lines: Iterable[str]) -> dict[str, str]:
    """The source package of each package, from the lines of a Packages file."""
    names: dict[str, str] = {}
    package = ""
    for line in lines:
        key, _, value = line.partition(": ")
        if key == "Package":
            package = value.strip()
            names[package] = package
        elif key == "Source":
            names[package] = value.split()[0]
    return names


def stem(name: str) -> str:
    """A source without its version: gcc-11 and gcc-12 are one piece of software, nearly the same texts."""
    return re.sub(r"-?\d[\d.]*(?=-|$)", "", name) or name


def group_names(found: Sequence[Described], sources: dict[str, str]) -> list[str]:
    """What each package goes by in the held-out split.

    Packages of one source belong together, and so do those whose first paragraph is the same and long enough
    to say something. Where the source is not known the package's own name stands for it.
    """
    keys = []
    for each in found:
        lead = each.text.partition("\n\n")[0]
        own = [f"source {stem(sources.get(each.package, each.package))}"]
        keys.append([*own, f"text {lead}"] if len(lead) >= SHORTEST else own)
    return [name.removeprefix("source ") for name in families(keys)]
