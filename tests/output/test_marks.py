import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unfog.output.marks import (
    AIGC_FIELDS,
    SOURCE_TYPE,
    aigc_chunk,
    aigc_field,
    read_aigc,
    xmp_packet,
    xmp_property,
)


@given(producer=st.text(max_size=40), content=st.text(max_size=40))
def test_seven_fields_in_both_forms(producer, content):
    field = aigc_field(producer, content)
    assert tuple(field) == AIGC_FIELDS and all(isinstance(value, str) for value in field.values())
    assert field["Label"] == "1"
    # the first file is passed on by its producer
    assert (field["ContentPropagator"], field["PropagateID"]) == (
        field["ContentProducer"],
        field["ProduceID"],
    )
    assert not set(field["ContentProducer"]) & set(' "\\\n\x00\x7f')
    assert read_aigc(json.dumps(field)) == read_aigc(aigc_chunk(field)) == field
    assert aigc_chunk(field).isascii()


def test_packet_has_the_forms_of_the_standards():
    text = xmp_packet("unfog 1", aigc_field("unfog", "n"), "{}").decode()
    assert text.startswith('<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>')
    assert f"<Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>" in text
    assert 'xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"' in text
    assert '<TC260:AIGC>{"Label":"1","ContentProducer":"unfog","ProduceID":"n","ReservedCode1":"",' in text
    assert xmp_property(text, "CreatorTool") == "unfog 1"


def test_properties_of_foreign_packets():
    assert xmp_property('<d x:AIGC="{&quot;a&quot;:1}"/>', "AIGC") == '{"a":1}'
    assert xmp_property("<tc:AIGC>&lt;</tc:AIGC>", "AIGC") == "<"
    assert xmp_property("<AIGC>no prefix</AIGC>", "AIGC") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "null", '{"AIGC": 1}', '{"Label": 1}', "[" * 10**5])
def test_what_is_no_label(text):
    assert read_aigc(text) is None


def test_incomplete_labels_give_what_they_have():
    assert read_aigc('{"AIGC": {"Label": "2", "ProduceID": 3, "Extra": "x"}}') == {"Label": "2"}
