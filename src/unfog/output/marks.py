"""The marks that say "a machine made this", in the forms that the standards ask for.

IPTC. `Iptc4xmpExt:DigitalSourceType` = `trainedAlgorithmicMedia` in an XMP packet: "created using a model
derived from sampled content" (IPTC NewsCodes, digitalsourcetype).

GB 45438-2025 (China; in force since 2025-09-01), implicit labels in file metadata, Appendix E: a JSON object
with the seven strings `Label`, `ContentProducer`, `ProduceID`, `ReservedCode1`, `ContentPropagator`,
`PropagateID`, `ReservedCode2`. `Label` is "1" (is generated), "2" (may be), "3" (is suspected to be). Where
it goes in pictures is said by the practice guide TC260-PG-20259A (2025-08-28): in the XMP packet (PNG: iTXt;
WebP: chunk `XMP `; GIF: application extension) as property `AIGC` of the namespace
http://www.tc260.org.cn/ns/AIGC/1.0/ with prefix `TC260`, holding the seven fields without a wrapper; its
Annex B adds, for PNG, a tEXt chunk `AIGC` that holds them wrapped, {"AIGC": {...}}.

Sources and doubts. Neither text could be opened while this was written (November 2026); the forms above are
what public implementations quote from them, read with this project's search tool: the notes of a video
pipeline that quote the six guides (`TC260-PG-20257A` .. `202512A`, tables of places and the property's exact
form), the verifier AigcTotal.GB45438 (its test corpus holds both PNG forms and says it parses a real Doubao
picture), the packages cnTC260 (PyPI) and aigc_image_metadata (pub.dev), and aopstudio/aigc-hidden-metadata,
which reprints the guide's own Python example. Open points:
  * Appendix E prints the string with the wrapper {"AIGC": {...}}, the guide's XMP example without: each place
    here has the form its own text shows. Most readers seen accept both; aigc_image_metadata only the former.
  * Values "mainly" consist of the characters 0x21, 0x23-0x5B, 0x5D-0x7E: others become "_" (letters beyond
    ASCII stay, escaped).
  * `ContentProducer` wants the name or code of the provider of a service. unfog is a program, so it names
    itself; whoever offers a public service must set `Provenance.producer` to their own name or registered
    code.
  * Strict validators want propagator = producer in the first file; others expect it empty. The former
    satisfies both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import unescape
from xml.sax.saxutils import escape

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
COMMENT = "AI-generated"
XMP_KEYWORD = "XML:com.adobe.xmp"
AIGC_FIELDS = (
    "Label",
    "ContentProducer",
    "ProduceID",
    "ReservedCode1",
    "ContentPropagator",
    "PropagateID",
    "ReservedCode2",
)

_NAMESPACES = {
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "TC260": "http://www.tc260.org.cn/ns/AIGC/1.0/",
    "unfog": "urn:unfog:provenance#",
}


def aigc_field(producer: str, content: str) -> dict[str, str]:
    """The seven fields of GB 45438-2025, Appendix E, for generated content.

    Args:
        producer: name or code of who offers the service.
        content: a number that is unique to the content.
    """
    who, number = _allowed(producer), _allowed(content)
    return {
        "Label": "1",
        "ContentProducer": who,
        "ProduceID": number,
        "ReservedCode1": "",
        "ContentPropagator": who,
        "PropagateID": number,
        "ReservedCode2": "",
    }


def aigc_chunk(field: Mapping[str, str]) -> str:
    """The text of a PNG chunk `AIGC`: the fields in their wrapper."""
    return json.dumps({"AIGC": dict(field)}, separators=(",", ":"))


def xmp_packet(creator: str, field: Mapping[str, str], provenance: str) -> bytes:
    """An XMP packet with the IPTC, GB 45438 and unfog marks.

    Args:
        creator: program and version, for `xmp:CreatorTool`.
        field: the seven AIGC fields.
        provenance: the provenance as ASCII JSON, so that formats with nothing but XMP (WebP, GIF) carry it
            too.

    Returns:
        UTF-8 bytes; all characters are legal XML.
    """
    properties = {
        "xmp:CreatorTool": creator,
        "Iptc4xmpExt:DigitalSourceType": SOURCE_TYPE,
        "TC260:AIGC": json.dumps(dict(field), separators=(",", ":")),
        "unfog:provenance": provenance,
    }
    names = "".join(f'\n    xmlns:{prefix}="{uri}"' for prefix, uri in _NAMESPACES.items())
    body = "".join(f"\n   <{name}>{escape(_legal(value))}</{name}>" for name, value in properties.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        f'  <rdf:Description rdf:about=""{names}>{body}\n  </rdf:Description>\n </rdf:RDF>\n'
        '</x:xmpmeta>\n<?xpacket end="r"?>'
    ).encode()


def xmp_property(packet: str, name: str) -> str | None:
    """The text of the first property called ``name`` (without prefix) in an XMP packet, as element or as
    attribute.

    The packet is searched, not parsed: nothing in a hostile file can make an XML parser expand entities or
    fetch anything.
    """
    element = re.search(rf"<[A-Za-z0-9]{{1,32}}:{name}>([^<]*)</", packet)
    if element is None:
        element = re.search(rf'\s[A-Za-z0-9]{{1,32}}:{name}="([^"]*)"', packet)
    return None if element is None else unescape(element[1])


def read_aigc(text: str) -> dict[str, str] | None:
    """Those of the seven fields that a string of either form holds, or None if it is no such string."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict) and isinstance(value.get("AIGC"), dict):
        value = value["AIGC"]
    if not isinstance(value, dict) or not isinstance(value.get("Label"), str):
        return None
    return {name: value[name] for name in AIGC_FIELDS if isinstance(value.get(name), str)}


def _allowed(text: str) -> str:
    return re.sub(r'[\x00-\x20"\\\x7f-\x9f]', "_", text)


def _legal(text: str) -> str:
    """Without the characters that XML 1.0 forbids."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
