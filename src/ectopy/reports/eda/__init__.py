"""A look at the data before the models: tables of all records, and a report made of them."""

from ectopy.reports.eda.collect import explore
from ectopy.reports.eda.page import save
from ectopy.reports.eda.tables import Tables

__all__ = ["Tables", "explore", "save"]
