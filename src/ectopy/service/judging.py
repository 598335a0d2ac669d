"""The models that judge streams: as the service is set, or as it was chosen for a stream."""

from __future__ import annotations

import logging

import numpy as np

from ectopy.analysis import StreamAnalyzer
from ectopy.errors import EctopyError
from ectopy.wire import Choice
from ectopy.zoo import BALANCED, TrainedModel, load

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
        self._failed: set[tuple[str, str]] = set()  # tried, and told of, once
        self._found: dict[tuple[str, str], TrainedModel] = {}
        self.default = self._load(name, operating_point)

    def of(self, choice: Choice | None) -> TrainedModel:
        """What judges; the default where what was chosen is no longer installed."""
        if choice is None or choice.model is None:
            return self.default
        key = choice.model, choice.operating_point or BALANCED
        if key in self._failed:
            return self.default
        try:
            return self._load(*key)
        except EctopyError as error:  # uninstalled meanwhile, or damaged
            _log.warning("judged by the default", extra={"reason": str(error)})
            self._failed.add(key)
            return self.default

    def check(self, choice: Choice) -> None:
        """Load what is about to be chosen, however it went before.

        Raises
        ------
        ModelError, HashError
            If that can't be done.
        """
        if choice.model is not None:
            key = choice.model, choice.operating_point or BALANCED
            self._load(*key)
            self._failed.discard(key)

    def _load(self, name: str, operating_point: str) -> TrainedModel:
        key = name, operating_point
        if key not in self._found:
            model = load(name).at(operating_point)
            StreamAnalyzer(128, model=model).push(np.zeros(128 * 8))  # the first run is the slow one
            self._found[key] = model
        return self._found[key]
