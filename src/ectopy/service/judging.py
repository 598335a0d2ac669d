"""The models that judge streams: as the service is set, or as it was chosen for a stream."""

from __future__ import annotations

import logging

import numpy as np

from ectopy.analysis import StreamAnalyzer
from ectopy.errors import EctopyError
from ectopy.wire import Choice
from ectopy.zoo import TrainedModel, load

_log = logging.getLogger(__name__)


class Models:
    """Each is loaded once, ready to run; from any thread.

    name, operating_point : what judges where nothing is chosen

    Raises
    ------
    ModelError, HashError
        If that one can't be loaded.
    """

    def __init__(self, name: str, operating_point: str):
        self._found: dict[tuple[str, str], TrainedModel] = {}
        self.default = self._load(name, operating_point)

    def of(self, choice: Choice | None) -> TrainedModel:
        """What judges; the default where what was chosen is no longer installed."""
        if choice is None or choice.model is None:
            return self.default
        try:
            return self._load(choice.model, choice.operating_point)
        except EctopyError as error:  # uninstalled meanwhile, or damaged: tried, and told of, once
            _log.warning("judged by the default", extra={"reason": str(error)})
            self._found[choice.model, choice.operating_point] = self.default
            return self.default

    def _load(self, name: str, operating_point: str) -> TrainedModel:
        key = name, operating_point
        if key not in self._found:
            model = load(name).at(operating_point)
            StreamAnalyzer(128, model=model).push(np.zeros(128 * 8))  # the first run is the slow one
            self._found[key] = model
        return self._found[key]
