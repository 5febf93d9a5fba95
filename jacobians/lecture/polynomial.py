"""The judge of polynomial fits: `fit`, by least squares, checked by the engine's gradient."""

from __future__ import annotations

import numpy as np

from ..verbs import jacobian
from .rows import Check, Finding
from .setting import Setting
from .wording import small


def fit(room: Setting, check: Check) -> Finding:
    """Polynomials of the `degrees` fitted to x, y and tried on x_test, y_test.

    Claimed are `train` and `test`, each "falls" or "rises": the training error from the first degree to the
    last, the test error from its smallest value to the last degree.
    """
    train, test, gradient = [], [], 0.0
    for degree in check["degrees"]:
        theta = least_squares(room.at("x"), room.at("y"), degree)
        train.append(rmse(theta, room.at("x"), room.at("y")))
        test.append(rmse(theta, room.at("x_test"), room.at("y_test")))
        gradient = max(gradient, slope(theta, room.at("x"), room.at("y")))
    best = int(np.argmin(test))
    found = {"train": _trend(train[0], train[-1]), "test": _trend(test[best], test[-1])}
    holds = gradient < 1e-8 and all(found[name] == check[name] for name in found)
    low, *_, high = check["degrees"]
    return Finding(
        holds,
        f"training error {small(train[0])} (degree {low}) -> {small(train[-1])} (degree {high}), "
        f"test error {small(test[best])} (degree {check['degrees'][best]}) -> {small(test[-1])}; "
        f"gradient at the fits {small(gradient)}",
    )


def _trend(first: float, last: float) -> str:
    return "falls" if last < first else "rises" if last > first else "stays"


def powers(x: np.ndarray, degree: int) -> np.ndarray:
    """The features `[1, x, ..., x^degree]`, one row for each x: shape `N x (degree + 1)`."""
    return np.vander(x, degree + 1, increasing=True)


def least_squares(x: np.ndarray, y: np.ndarray, degree: int) -> np.ndarray:
    """The coefficients that minimise the squared loss.

    >>> least_squares(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0]), 1).round(12)
    array([1., 2.])
    """
    return np.asarray(np.linalg.lstsq(powers(x, degree), y, rcond=None)[0])


def rmse(theta: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    """The root of the mean squared error of a polynomial."""
    return float(np.sqrt(np.mean((y - powers(x, len(theta) - 1) @ theta) ** 2)))


def slope(theta: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    """The largest entry of the engine's gradient of the squared loss at `theta`."""
    features = powers(x, len(theta) - 1)
    gradient = jacobian(lambda t: ((y - features @ t) ** 2).sum())(theta)
    return float(np.max(np.abs(np.asarray(gradient))))
