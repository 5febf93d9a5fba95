"""The peers benchmark on tiny sizes: every case agrees, tables say what was measured, errors are clear."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from jacobians.bench import suites
from jacobians.bench.suites import SUITES, all_cases, growth, measure, ours, table
from jacobians.bench.suites.cases import leaves
from jacobians.bench.suites.measure import Disagreement, Row, difference
from jacobians.bench.timing import ratio, sampled, show_time
from jacobians.errors import MissingExtraError, UnknownNameError

TINY = 0.06
CASES = all_cases(TINY)


def test_every_suite_has_cases_and_every_case_a_suite():
    assert {case.suite for case in CASES} == set(SUITES)
    full = all_cases()
    assert len({(case.suite, case.name) for case in full}) == len(full)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.suite}: {case.name}")
def test_our_forms_and_the_hand_written_rival_agree(case):
    row = measure.measured(case, peers=(), repeat=1)
    assert row.made.keys() >= {"lazy", "call"}
    assert ("dense" in row.made) != case.lazy
    assert ("by hand" in row.made) == (case.rival is not None and not case.lazy)
    assert row.factors > 0


@pytest.mark.peers
@pytest.mark.parametrize("library", ["jax", "torch"])
@pytest.mark.parametrize("suite", SUITES)
def test_peers_agree(suite, library):
    pytest.importorskip(library)
    for case in CASES:
        if case.suite == suite and not case.lazy and case.name in _few(suite):
            row = measure.measured(case, peers=(library,), repeat=1, compiled=False)
            assert row.best_peer() == library
            assert row.how[library]
            assert row.faster() is not None


def _few(suite):
    return [case.name for case in CASES if case.suite == suite][:2]


def test_a_wrong_result_is_found():
    case = next(case for case in CASES if case.suite == "matmul")
    inputs = case.inputs()
    forms = ours.forms(case, inputs)
    runs = {name: (form.run, form.read) for name, form in forms.items()}
    runs["by hand"] = (lambda: case.rival(*inputs), list)
    assert measure.agree(case, runs) > 0
    wrong = [array * (1 + 1e-6) for array in case.rival(*inputs)]
    with pytest.raises(Disagreement, match="by hand and our dense result differ"):
        measure.agree(case, runs | {"by hand": (lambda: wrong, list)})


def test_a_result_of_another_shape_is_infinitely_far():
    assert difference(np.ones((2, 3)), np.ones((3, 2))) == float("inf")
    assert difference(np.zeros(3), np.zeros(3)) == 0.0
    assert difference(np.array([1.0, 2.2]), np.array([1.0, 2.0])) == pytest.approx(0.1)


ROW = Row(
    "layer",
    "a case",
    {"dense": [1.0, 1.0, 2.0], "jax": [4.0, 2.0, 8.0], "torch": [9.0, 9.0, 9.0], "by hand": [2.0, 2.0, 2.0]},
    {"dense": [2.0, 2.0, 2.0], "jax": [4.0, 4.0, 4.0]},
    {"jax": "jit(jacrev)"},
    {},
    8,
    8,
)


def test_ratios_are_of_neighbours_in_time():
    assert ROW.best_peer() == "jax"
    assert ROW.faster().median == 4.0
    assert ROW.faster(read=True).median == 2.0
    assert ROW.slower_than_hand().median == 0.5
    assert (ratio([2.0, 4.0], [1.0, 4.0]).low, ratio([2.0, 4.0], [1.0, 4.0]).high) == (1.25, 1.75)


def test_the_table_says_where_a_peer_is_ahead():
    shown = table.text([ROW])
    assert "layer: a case" in shown
    assert "is ahead" not in shown
    slow = Row("mlp", "slow", {"dense": [3.0, 3.0], "jax": [2.0, 2.0]}, {}, {}, {}, 8, 8)
    assert "jax is ahead in mlp: slow, 1.50 times" in table.text([ROW, slow])


def test_json_holds_samples_and_ratios():
    record = json.loads(json.dumps(ROW.to_dict()))
    assert record["seconds"]["jax"] == 4.0
    assert record["ratios"]["faster"][0] == 4.0
    assert record["samples"]["dense"] == [1.0, 1.0, 2.0]


def test_main_prints_the_table_and_the_environment(capsys):
    shown = suites.peers_main(["micro"], peers=(), repeat=1)
    assert shown in capsys.readouterr().out
    assert "gradient of x1^2 x2 + x1 x2^3" in shown
    assert "python" in shown.splitlines()[0]
    record = json.loads(suites.peers_main(["elementwise"], json=True, peers=(), repeat=1, scale=TINY))
    assert [row["suite"] for row in record["rows"]] == ["elementwise"]


def test_unknown_suites_and_peers_are_named():
    with pytest.raises(UnknownNameError, match="suite 'hesian' is not known") as caught:
        suites.run(["hesian"], peers=())
    assert "hessian" in str(caught.value)
    with pytest.raises(UnknownNameError, match="peer 'tensorflow' is not known"):
        suites.run(["micro"], peers=("tensorflow",))


def test_a_missing_library_gives_the_install_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'jacobians\[torch\]'"):
        suites.run(["micro"], peers=("torch",))


def test_samples_are_taken_in_turn():
    seen = []
    found = sampled({"a": lambda: seen.append("a"), "b": lambda: seen.append("b")}, repeat=3, least=0.0)
    assert [len(samples) for samples in found.values()] == [3, 3]
    assert "".join(seen).endswith("aabbaabb")


def test_times_have_units():
    assert [show_time(s) for s in (2e-9, 5e-6, 0.25, 3.0)] == ["0.00 us", "5.00 us", "250 ms", "3.00 s"]


def test_growth_is_linear_in_what_is_held():
    net, _, batch, layer = growth.curves(repeat=1, shorter=3)
    for curve in (net, batch):
        assert curve.exponent("held") == pytest.approx(1, abs=0.15)
    assert layer.exponent("held") == pytest.approx(0.5, abs=0.1)  # factors of an M x M layer: 2 M numbers


def test_leaves_follow_containers():
    assert leaves([{"b": 1, "a": (2,)}, 3]) == [1, 2, 3]
