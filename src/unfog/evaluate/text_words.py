"""What each figure of a text means, in plain words, and which way is better."""

from __future__ import annotations

from unfog.evaluate.words import HIGHER, LOWER, NEAR, Words

TEXT_WORDS: dict[str, Words] = {
    "form": Words(
        "Form",
        "Share that are four lines of five characters, each with its mark.",
        HIGHER,
        True,
    ),
    "rhyme": Words(
        "Rhyme",
        "Share of those whose lines 2 and 4 end in one rhyme class, learned from other real poems.",
        NEAR,
        True,
    ),
    "rhyme_shuffled": Words(
        "Rhyme, lines shuffled",
        "The same with each fourth line from another poem: what chance alone does.",
        NEAR,
        True,
    ),
    "rhyme_known": Words(
        "Line ends with a rhyme class",
        "Share whose ends are frequent enough in real poems to have a class; the others count as no rhyme.",
        NEAR,
        True,
    ),
    "reader_bits": Words(
        "Bits per character (reader)",
        "How surprised a small independent reader is; far below the floor: dull text, above: odd text.",
        NEAR,
        False,
    ),
    "entropy1": Words(
        "Entropy of words",
        "How varied single words are, in bits; below the floor: the same few words again and again.",
        NEAR,
        False,
    ),
    "entropy4": Words(
        "Entropy of four words in a row",
        "How varied phrases are, in bits; below the floor: the same phrases again and again.",
        NEAR,
        False,
    ),
    "distinct1": Words("Distinct words", "Different words among all words.", NEAR, True),
    "distinct2": Words("Distinct pairs of words", "Different pairs among all pairs.", NEAR, True),
    "distinct4": Words("Distinct runs of four words", "Different runs among all runs.", NEAR, True),
    "copied_run": Words(
        "Longest copied run",
        "Characters in a row that also stand in a training text, at most, on average over the texts.",
        LOWER,
        False,
    ),
    "copied_longest": Words(
        "Longest copied run of all",
        "The longest run of characters that any text shares with a training text.",
        LOWER,
        False,
    ),
    "copied_whole": Words(
        "Copied as a whole",
        "Share of texts that stand in a training text from the first to the last character.",
        LOWER,
        True,
    ),
}
"""In the order of the report."""
