"""What leaves the house: pictures, films, sheets and reports, each with what made it."""

from unfog.output.facts import Report
from unfog.output.film import write_film
from unfog.output.pictures import save_pictures
from unfog.output.provenance import Provenance, read_marks, read_provenance, write_picture
from unfog.output.report import write_report
from unfog.output.sheet import contact_sheet, preview

__all__ = [
    "Provenance",
    "Report",
    "contact_sheet",
    "preview",
    "read_marks",
    "read_provenance",
    "save_pictures",
    "write_film",
    "write_picture",
    "write_report",
]
