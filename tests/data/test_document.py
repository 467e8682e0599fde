from unfog.data import TEXT_READERS
from unfog.data.document import CUTS, Document, TextOptions, TextReader


def test_the_table():
    assert list(TEXT_READERS)[-1] == "plain"  # it takes whatever exists
    assert all(issubclass(kind, TextReader) for kind in TEXT_READERS.values())


def test_nothing_is_chosen_unless_asked():
    options = TextOptions()
    assert options.cut == CUTS[0] == options.encoding == "auto"
    assert (options.text, options.target, options.label, options.group) == (None,) * 4
    assert Document("a") == Document("a", "", None, None, "", None, "")


def test_no_reader_accepts_what_is_not_there(tmp_path):
    assert not [name for name, kind in TEXT_READERS.items() if kind.accepts(str(tmp_path / "none.txt"))]
