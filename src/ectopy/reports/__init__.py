"""What to keep or print of an analysis."""

from ectopy.reports.annotations import record_name, write_beats
from ectopy.reports.save import check_file, check_folder, save
from ectopy.reports.show import PRIORITY_STYLES, VERDICT_STYLES, show
from ectopy.reports.stretches import Stretch, stretches

__all__ = [
    "PRIORITY_STYLES",
    "VERDICT_STYLES",
    "Stretch",
    "check_file",
    "check_folder",
    "record_name",
    "save",
    "show",
    "stretches",
    "write_beats",
]
