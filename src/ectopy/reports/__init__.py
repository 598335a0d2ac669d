"""What to keep or print of an analysis."""

from ectopy.reports.save import check_folder, save
from ectopy.reports.show import VERDICT_STYLES, show
from ectopy.reports.stretches import Stretch, stretches

__all__ = ["VERDICT_STYLES", "Stretch", "check_folder", "save", "show", "stretches"]
