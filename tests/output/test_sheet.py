import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unfog.errors import OutputError
from unfog.output.sheet import contact_sheet, preview, resized, thumbnail


def pictures(count, high=28, wide=28, channels=1, value=100):
    return np.full((count, high, wide, channels), value, dtype=np.uint8)


@given(
    count=st.integers(1, 40),
    high=st.integers(1, 60),
    wide=st.integers(1, 60),
    channels=st.sampled_from([1, 3]),
    columns=st.none() | st.integers(1, 50),
    width=st.integers(40, 400),
    clear=st.booleans(),
)
def test_any_sheet_fits(count, high, wide, channels, columns, width, clear):
    images = pictures(count, high, wide, channels)
    sheet = contact_sheet(images, columns=columns, max_width=width, clear=clear)
    assert sheet.dtype == np.uint8 and sheet.shape[2] == channels + clear
    assert sheet.shape[1] <= width
    assert (sheet[..., 0] == 100).any()


@pytest.mark.parametrize("size", [2000, 300, 256, 64, 28, 8])
def test_never_wider_than_1600_and_small_ones_are_enlarged(size):
    sheet = contact_sheet(pictures(9, size, size))
    assert sheet.shape[1] <= 1600
    tile = (sheet == 100).all(axis=2).sum() / 9
    assert tile >= 100**2 or size > 50


def test_enlarged_pixels_stay_sharp_squares():
    image = np.array([[0, 255], [255, 0]], dtype=np.uint8)[None, :, :, None]
    sheet = contact_sheet(image, tile=20)[..., 0]
    core = sheet[6:-6, 6:-6]
    assert core.shape == (20, 20) and set(np.unique(core)) == {0, 255}
    assert (core[:10, :10] == 0).all() and (core[:10, 10:] == 255).all()


def test_rows_are_classes_in_order_unlabelled_last():
    images = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 1), np.uint8) + 10
    sheet = contact_sheet(images, labels=[2, 0, 2, -1, 0, 2], tile=4)[..., 0]
    rows = [sorted(set(row) - {255}) for row in (sheet[y] for y in (4, 10, 16))]
    assert rows == [[11, 14], [10, 12, 15], [13]]


def test_rows_and_pictures_of_large_classes_are_cut():
    sheet = contact_sheet(pictures(500), labels=np.arange(500) % 100, max_rows=8)
    assert sheet.shape[0] <= 8 * 120 and sheet.shape[1] <= 1600
    assert contact_sheet(pictures(900), labels=np.zeros(900, int)).shape[1] <= 1600


def test_given_columns_are_kept_even_if_not_filled():
    full, part = (contact_sheet(pictures(n), columns=12, max_width=960, tile=76) for n in (12, 3))
    assert full.shape == part.shape


def test_clear_sheets_are_transparent_between_pictures():
    sheet = contact_sheet(pictures(2), columns=2, clear=True)
    assert set(np.unique(sheet[..., 1])) == {0, 255}
    assert sheet[0, 0, 1] == 255 and sheet[0, sheet.shape[1] // 2, 1] == 0


def test_sizes():
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert resized(image, 4, 6).shape == (4, 6, 3)
    assert thumbnail(np.zeros((300, 100, 1), np.uint8), 60).shape == (60, 20, 1)
    assert thumbnail(image, 60) is image
    assert max(preview(pictures(100)).shape[:2]) <= 640


@pytest.mark.parametrize(
    "images", [np.zeros((0, 4, 4, 1), np.uint8), np.zeros((1, 4, 4), np.uint8), np.zeros((1, 4, 4, 1))]
)
def test_what_is_no_stack_of_pictures(images):
    with pytest.raises(OutputError, match="uint8"):
        contact_sheet(images)


def test_labels_of_another_number():
    with pytest.raises(OutputError, match="needs 3 labels"):
        contact_sheet(pictures(3), labels=[1])
