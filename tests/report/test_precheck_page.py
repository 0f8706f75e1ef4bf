"""What the page says of the training rows as they were before any training."""

import json

import jinja2
import pytest
from rectify.report.page.precheck import precheck
from rectify.report.page.render_report import FOLDER
from rectify.statistics.regimes import COLUMNS, SILENT
from rectify.step.errors import StepError
from small_study import prechecked


@pytest.fixture
def entry(tmp_path):
    """A model's entry in the page's layout, and its file."""
    prechecked(tmp_path / "m")
    return {"model": "M", "json": str(tmp_path / "m.json")}


def test_it_shows_what_was_found(entry, tmp_path):
    found = json.loads((tmp_path / "m.json").read_text())
    shown = precheck(entry)
    assert shown["model"] == "M"
    for key in ("say", "sentence", "reasons", "uncertainty"):
        assert shown[key] == found["verdict"][key]
    assert shown["facts"] == ["17 duplicates."]
    assert shown["columns"] == list(COLUMNS.values())
    assert [row["name"] for row in shown["rows"]] == ["number", "word"]
    assert shown["rows"][1] == {
        "name": "word", "tokens": 567, "cells": [0.25, 0.5625, 0.9, 0.875]
    }  # fmt: skip


def test_its_part_of_the_page(entry):
    loader = jinja2.FileSystemLoader(FOLDER)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True)
    text = '{% from "macros.html" import number, heading %}{% include "precheck.html" %}'
    template, shown = environment.from_string(text), precheck(entry)
    page = template.render(prechecks=[shown, shown | {"model": "<b>"}])
    assert page.count("<h3>") == 2
    assert "<b>" not in page
    assert f"Below {SILENT} a token" in page
    for text in (shown["sentence"], "0.562", "17 duplicates.", "1,234"):
        assert text in page
    assert "Nothing was looked at" in template.render(prechecks=[])


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "No such file"), ("{", "not of rectify precheck"), ("[]", "not of rectify precheck"),
     ('{"verdict": {}}', "not of rectify precheck: 'say'")],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_named(entry, tmp_path, text, said):
    file = tmp_path / "m.json"
    file.unlink() if text is None else file.write_text(text)
    with pytest.raises(StepError, match=said) as caught:
        precheck(entry)
    assert str(file) in str(caught.value)
