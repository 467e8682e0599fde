import pytest

from unfog.data.corpus import open_corpus
from unfog.data.document import TextOptions
from unfog.data.text_hub import TextHubReader
from unfog.errors import DataError

datasets = pytest.importorskip("datasets")


@pytest.fixture
def saved(tmp_path):
    """Two splits with classes, as ``save_to_disk`` leaves them."""
    features = datasets.Features(
        {
            "article": datasets.Value("string"),
            "highlights": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["news", "sport"]),
        }
    )

    def part(*rows):
        return datasets.Dataset.from_list(
            [dict(zip(features, row, strict=True)) for row in rows], features=features
        )

    whole = datasets.DatasetDict(
        test=part(("three three", "3", 0), ("one one", "1", 1)),
        train=part(("one one", "1", 1), ("two 二", "2", 0), ("", "0", 0)),
    )
    whole.save_to_disk(tmp_path / "saved")
    return tmp_path / "saved"


def test_what_datasets_saved(saved):
    assert TextHubReader.accepts(str(saved)) and TextHubReader.accepts("hub:a/b")
    corpus = open_corpus(saved)
    assert list(corpus.texts) == ["one one", "two 二", "three three"]
    assert list(corpus.targets) == ["1", "2", "3"]
    assert corpus.classes == ("news", "sport") and corpus.labels.tolist() == [1, 0, 0]
    assert corpus.train.tolist() == [0, 1] and corpus.held_out.tolist() == [2]
    assert corpus.duplicates == 1 and corpus.reasons() == {"not a text": 1}


def test_one_split_and_other_columns(saved):
    corpus = open_corpus(saved / "train", options=TextOptions(text="highlights", target="article"))
    assert set(corpus.texts) == {"1", "2"} and len(corpus.held_out) == 1
    with pytest.raises(DataError, match="no column 'titel'"):
        open_corpus(saved, options=TextOptions(text="titel"))
