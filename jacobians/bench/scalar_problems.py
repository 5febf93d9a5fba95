"""Problems of the elimination literature, as plain numpy functions of scalars.

Every function takes scalars, or arrays of one shape (a batch), and returns a tuple of them: `roe_flux_1d`,
`roe_flux_3d`, `robot_arm`, `heart_dipole`, `propane`, `black_scholes`, `rosenbrock`, `powell`, `beale`,
`himmelblau`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..functions import erf

Values = tuple[Any, ...]


def roe_flux_1d(ul0: Any, ul1: Any, ul2: Any, ur0: Any, ur1: Any, ur2: Any) -> Values:
    """Roe's approximate Riemann solver for the Euler equations in one dimension (Roe, 1981).

    Inputs are density, momentum and energy on the left and on the right; the flux through the face has the
    same three parts.  The gas constant and the wave speeds are those of the published computational graph.
    """
    jump, w12 = ur0 - ul0, np.sqrt(ul0 * ur0)
    weight = np.sqrt(ul0) + np.sqrt(ur0)
    vl, vr = ul1 / ul0, ur1 / ur0
    pl = -0.5 * (ul2 - 0.5 * ul1**2 / ul0)
    pr = -0.5 * (ur2 - 0.5 * ur1**2 / ur0)
    hl, hr = (ul2 + pl) / ul0, (ur2 + pr) / ur0
    dp, dv = pr - pl, vr - vl
    u = (np.sqrt(ul0) * vl + np.sqrt(ur0) * vr) / weight
    h = (np.sqrt(ul0) * hl + np.sqrt(ur0) * hr) / weight
    q = u**2
    c2 = -0.5 * (h - 0.5 * q)
    c = np.sqrt(c2)
    fast, slow, third = np.abs(u + c), np.abs(u), np.abs(u)
    cw = c * w12
    k1 = (jump - dp / c2) * slow
    k2 = (dv + dp / cw) * fast
    k3 = (dv - dp / cw) * third
    sl, sr = ul1 / ul0, ur1 / ur0
    flux0 = ul1 + ur1
    flux1 = (pl + ul1 * sl) + (pr + ur1 * sr)
    flux2 = sl * (pl + ul2) + sr * (pr + ur2)
    b = 0.5 * w12 / c
    d0 = (k1 + b * k2) - b * k3
    d1 = (k1 * u + (b * k2) * (u + c)) - (b * k3) * (u - c)
    d2 = (k1 * 0.5 * q + (b * k2) * (h + u * c)) - (b * k3) * (h - u * c)
    return 0.5 * (flux0 - d0), 0.5 * (flux1 - d1), 0.5 * (flux2 - d2)


def roe_flux_3d(
    l0: Any, l1: Any, l2: Any, l3: Any, l4: Any, r0: Any, r1: Any, r2: Any, r3: Any, r4: Any
) -> Values:
    """The same solver in three dimensions, through a face normal to x, with the ratio of heats 1.4.

    Inputs are density, three momenta and energy on the left and on the right; the flux has the same parts.
    """
    g = 0.4
    root, sl, sr = np.sqrt(l0 * r0), np.sqrt(l0), np.sqrt(r0)
    weight = sl + sr
    (ul, vl, wl), (ur, vr, wr) = (l1 / l0, l2 / l0, l3 / l0), (r1 / r0, r2 / r0, r3 / r0)
    pl = g * (l4 - 0.5 * (l1 * ul + l2 * vl + l3 * wl))
    pr = g * (r4 - 0.5 * (r1 * ur + r2 * vr + r3 * wr))
    hl, hr = (l4 + pl) / l0, (r4 + pr) / r0
    u, v, w = (sl * ul + sr * ur) / weight, (sl * vl + sr * vr) / weight, (sl * wl + sr * wr) / weight
    h = (sl * hl + sr * hr) / weight
    q = u**2 + v**2 + w**2
    c2 = g * (h - 0.5 * q)
    c = np.sqrt(c2)
    du, dv, dw, dp, dr = ur - ul, vr - vl, wr - wl, pr - pl, r0 - l0
    middle = np.abs(u)
    a1 = np.abs(u - c) * (dp - root * c * du) / (2.0 * c2)
    a2 = middle * (dr - dp / c2)
    a5 = np.abs(u + c) * (dp + root * c * du) / (2.0 * c2)
    shear = middle * root
    d0 = a1 + a2 + a5
    d1 = a1 * (u - c) + a2 * u + a5 * (u + c)
    d2 = d0 * v + shear * dv
    d3 = d0 * w + shear * dw
    d4 = a1 * (h - u * c) + a2 * (0.5 * q) + a5 * (h + u * c) + shear * (v * dv + w * dw)
    f0 = l1 + r1
    f1 = (l1 * ul + pl) + (r1 * ur + pr)
    f2, f3 = l1 * vl + r1 * vr, l1 * wl + r1 * wr
    f4 = ul * (l4 + pl) + ur * (r4 + pr)
    return 0.5 * (f0 - d0), 0.5 * (f1 - d1), 0.5 * (f2 - d2), 0.5 * (f3 - d3), 0.5 * (f4 - d4)


def robot_arm(t1: Any, t2: Any, t3: Any, t4: Any, t5: Any, t6: Any) -> Values:
    """The pose of an arm with six joints: place x, y, z and three Euler angles, from the joints' angles.

    The second place adds c1 s4 where the first Euler angle subtracts it, as in the published graph.
    """
    c1, c2, c4, c5, c6 = np.cos(t1), np.cos(t2), np.cos(t4), np.cos(t5), np.cos(t6)
    c23 = np.cos(t2) * np.cos(t3) - np.sin(t2) * np.sin(t3)
    s1, s2, s4, s5, s6 = np.sin(t1), np.sin(t2), np.sin(t4), np.sin(t5), np.sin(t6)
    s23 = np.cos(t2) * np.sin(t3) + np.sin(t2) * np.cos(t3)
    ax = s5 * (c1 * c23 * c4 + s1 * s4) + c1 * s23 * c5
    ay = s5 * (s1 * c23 * c4 - c1 * s4) + s1 * s23 * c5
    az = s23 * c4 * s5 - c23 * c5
    nz = c6 * (c23 * s5 + s23 * c4 * c5) - s23 * s4 * s6
    oz = -s6 * (c23 * s5 + s23 * c4 * c5) - s23 * s4 * c6
    z = np.arctan2(ay, ax)
    y = np.arctan2(np.sqrt(1.0 - az**2), az)
    last = np.arctan2(oz, -nz)
    reach_x = (175.0 + 890.0 * c2) + 50.0 * c23 + 1035.0 * s23
    px = 185.0 * (s5 * (c1 * c23 * c4 + s1 * s4) + c1 * s23 * c5) + c1 * reach_x
    reach_y = (175.0 + 890.0 * c2) + 50.0 * c23 + 1035.0 * s23
    py = 185.0 * (s5 * (s1 * c23 * c4 + c1 * s4) + s1 * s23 * c5) + s1 * reach_y
    pz = ((890.0 * s2 + 575.0) + 50.0 * s23 - 1035.0 * c23) + 185.0 * (s23 * c4 * s5 - c23 * c5)
    return px, py, pz, z, y, last


def heart_dipole(a: Any, b: Any, c: Any, d: Any, t: Any, u: Any, v: Any, w: Any) -> Values:
    """The human heart dipole problem: eight moments of two dipoles (MINPACK-2; Nelson and Hodgkin, 1981)."""
    mx, my, sa, sb, sc, sd, se, sf = 0.485, -0.0019, -0.0581, 0.015, 0.105, 0.0406, 0.167, -0.399
    t2, u2, v2, w2 = t * t, u * u, v * v, w * w
    tv, uw = t2 - v2, u2 - w2
    t3, u3 = t * (t2 - 3.0 * v2), u * (u2 - 3.0 * w2)
    v3, w3 = v * (v2 - 3.0 * t2), w * (w2 - 3.0 * u2)
    return (
        a + b - mx,
        c + d - my,
        t * a + u * b - v * c - w * d - sa,
        v * a + w * b + t * c + u * d - sb,
        a * tv - 2.0 * c * t * v + b * uw - 2.0 * d * u * w - sc,
        c * tv + 2.0 * a * t * v + d * uw + 2.0 * b * u * w - sd,
        a * t3 + c * v3 + b * u3 + d * w3 - se,
        c * t3 - a * v3 + d * u3 - b * w3 - sf,
    )


def propane(
    x1: Any, x2: Any, x3: Any, x4: Any, x5: Any, x6: Any, x7: Any, x8: Any, x9: Any, x10: Any, x11: Any
) -> Values:
    """Combustion of propane in air: eleven balances (MINPACK-2; Meintjes and Morgan, 1990)."""
    p, rr = 40.0, 10.0
    k5, k6, k7, k8, k9, k10 = 1.930e-1, 2.597e-3, 3.448e-3, 1.799e-5, 2.155e-4, 3.846e-5
    ratio = p / x11
    root = np.sqrt(ratio)
    return (
        x1 + x4 - 3.0,
        2.0 * x1 + x2 + x4 + x7 + x8 + x9 + 2.0 * x10 - rr,
        2.0 * x2 + 2.0 * x5 + x6 + x7 - 8.0,
        2.0 * x3 + x9 - 4.0 * rr,
        k5 * x2 * x4 - x1 * x5,
        k6 * np.sqrt(x2 * x4) - np.sqrt(x1) * x6 * root,
        k7 * np.sqrt(x1 * x2) - np.sqrt(x4) * x7 * root,
        k8 * x1 - x4 * x8 * ratio,
        k9 * x1 * np.sqrt(x3) - x4 * x9 * root,
        k10 * x1**2 - x4**2 * x10 * ratio,
        x11 - (x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10),
    )


def call_price(spot: Any, strike: Any, rate: Any, volatility: Any, years: Any) -> Any:
    """The price of a European call (Black and Scholes, 1973)."""
    spread = volatility * np.sqrt(years)
    d1 = (np.log(spot / strike) + (rate + 0.5 * volatility**2) * years) / spread
    return spot * _normal(d1) - strike * np.exp(-rate * years) * _normal(d1 - spread)


def black_scholes(spot: Any, strike: Any, rate: Any, volatility: Any, years: Any) -> Values:
    """The five first derivatives of `call_price` (the Greeks), whose Jacobian holds all second ones."""
    root = np.sqrt(years)
    spread = volatility * root
    d1 = (np.log(spot / strike) + (rate + 0.5 * volatility**2) * years) / spread
    discount = np.exp(-rate * years)
    density = np.exp(-0.5 * d1**2) * (1 / math.sqrt(2 * math.pi))
    held = discount * _normal(d1 - spread)
    vega = spot * density * root
    by_time = vega * volatility / (2.0 * years) + rate * strike * held
    return _normal(d1), -held, strike * years * held, vega, by_time


def _normal(x: Any) -> Any:
    return 0.5 * (1.0 + erf(x * math.sqrt(0.5)))


def rosenbrock(x: Any, y: Any) -> Values:
    """Rosenbrock's valley as two residuals (1960): 10 (y - x^2) and 1 - x."""
    return 10.0 * (y - x**2), 1.0 - x


def powell(a: Any, b: Any, c: Any, d: Any) -> Values:
    """Powell's singular function (1962): four residuals whose Jacobian is singular at the solution."""
    return a + 10.0 * b, math.sqrt(5.0) * (c - d), (b - 2.0 * c) ** 2, math.sqrt(10.0) * (a - d) ** 2


def beale(x: Any, y: Any) -> Values:
    """Beale's function as three residuals (1958)."""
    return 1.5 - x * (1.0 - y), 2.25 - x * (1.0 - y**2), 2.625 - x * (1.0 - y**3)


def himmelblau(x: Any, y: Any) -> Any:
    """Himmelblau's function (1972): (x^2 + y - 11)^2 + (x + y^2 - 7)^2."""
    return (x**2 + y - 11.0) ** 2 + (x + y**2 - 7.0) ** 2
