"""The last layer, fitted on patients that the rest has not seen: probabilities that mean what they say."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from ectopy.recording import AAMI_CLASSES

_HELD = 1e-4  # how firmly a class without beats stays where it is


@dataclass(frozen=True)
class Rescaled:
    """A classifier's logits times `factor`, plus (5,) `shift`.

    Guo C, Pleiss G, Sun Y, Weinberger KQ. On calibration of modern neural networks. ICML (2017); here with a bias a
    class, since training shows more abnormal beats than there are.
    """

    factor: float
    shift: NDArray[np.float32]

    @classmethod
    def fitted(cls, evidence: NDArray[np.float32], truth: NDArray[np.int64]) -> Rescaled:
        """By the least log loss. evidence : (n, 5) logarithms of probabilities; truth : (n,) classes."""
        z = evidence.astype(np.float64)
        here = np.eye(z.shape[1])[truth]
        start = np.array([1.0, *np.zeros(z.shape[1])])

        def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            logits = at[0] * z + at[1:]
            total = logsumexp(logits, axis=1)
            off = np.exp(logits - total[:, None]) - here
            slope = np.concatenate([[(off * z).sum()], off.sum(axis=0)]) / len(z)
            held = at - start
            value = (total - (here * logits).sum(axis=1)).mean() + _HELD / 2 * held @ held
            return float(value), slope + _HELD * held

        best = minimize(loss, start, jac=True, method="L-BFGS-B").x
        return cls(float(best[0]), best[1:].astype(np.float32))

    def apply(self, evidence: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, 5) probabilities."""
        logits = self.factor * evidence + self.shift
        return np.exp(logits - logsumexp(logits, axis=1, keepdims=True))

    def label(self, model: keras.Model) -> list[NDArray[np.float32]]:
        """Weights of the last layer that does the same."""
        kernel, bias = model.get_layer("label").get_weights()
        return [kernel * self.factor, bias * self.factor + self.shift]


@dataclass(frozen=True)
class Logistic:
    """A logistic regression on an autoencoder's (n, m) errors."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    @classmethod
    def fitted(cls, evidence: NDArray[np.float32], truth: NDArray[np.int64]) -> Logistic:
        """Abnormal against N; Q is left out."""
        known = truth != AAMI_CLASSES.index("Q")
        scaler = StandardScaler().fit(evidence[known])
        rows, abnormal = scaler.transform(evidence[known]), truth[known] != AAMI_CLASSES.index("N")
        model = LogisticRegression(max_iter=1000).fit(rows, abnormal)
        weight = model.coef_[0] / scaler.scale_
        bias = model.intercept_ - weight @ scaler.mean_
        return cls(weight[:, None].astype(np.float32), bias.astype(np.float32))

    def apply(self, evidence: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, 1) probabilities of being abnormal."""
        return expit((evidence @ self.weight + self.bias).astype(np.float64))

    def label(self, model: keras.Model) -> list[NDArray[np.float32]]:
        """Weights of the last layer that does the same."""
        return [self.weight, self.bias]


Calibration = Rescaled | Logistic
