"""The comparison as a report: one HTML page, the numbers as JSON, a table as Markdown."""

from ectopy.reports.compare.page import save
from ectopy.reports.compare.tables import Contest, as_markdown

__all__ = ["Contest", "as_markdown", "save"]
