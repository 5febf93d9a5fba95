"""The shipped library: every identity is judged, every known error is found out, searching works."""

from __future__ import annotations

import json

import pytest

from jacobians.cli import main
from jacobians.errors import UnknownNameError
from jacobians.identities import find, judge, library, search


@pytest.mark.parametrize("one", library(), ids=lambda one: one.id)
def test_the_checker_agrees_with_what_is_known(one):
    row = judge(one)
    assert row.verdict.verdict == one.truth, str(row.verdict)
    assert not row.error


def test_there_are_as_many_as_promised_each_with_a_source():
    assert len(library()) >= 150
    assert len({one.id for one in library()}) == len(library())
    assert all(one.source and one.ref and one.section for one in library())
    assert sum(one.truth == "false" for one in library()) >= 10
    assert all(one.note for one in library() if one.truth == "false")


def test_a_changed_identity_changes_its_verdict():
    from dataclasses import replace

    plain = [one for one in search("trace") if one.truth == "true" and ";" not in one.claim]
    flipped = [judge(replace(one, claim=f"({one.claim}) * 1.25")) for one in plain]
    assert len(flipped) > 20
    assert all(row.verdict.verdict == "false" for row in flipped)


def test_searching_needs_every_word():
    assert {one.id for one in search("det cookbook")} >= {"det", "logdet", "det-inverse"}
    assert search("det no-such-word") == ()


def test_an_unknown_identity_names_the_closest():
    with pytest.raises(UnknownNameError, match="no identity is called 'logdte'") as caught:
        find("logdte")
    assert "logdet" in str(caught.value)


def test_the_command_lists_shows_and_checks(capsys):
    assert main(["identities", "--search", "det"]) == 0
    out = capsys.readouterr().out
    assert "d(log(det(X)))/dX = inv(X).T" in out
    assert max(map(len, out.splitlines())) <= 80
    assert main(["identities", "logdet"]) == 0
    assert "The Matrix Cookbook (2012); eq. 57" in capsys.readouterr().out
    assert main(["identities", "--search", "false-", "--check"]) == 0
    out = capsys.readouterr().out
    assert "0 not as known." in out
    assert main(["identities", "--search", "eigenvalue", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["id"] == "eigenvalue-sum"
