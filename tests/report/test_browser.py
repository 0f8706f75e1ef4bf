"""The report's page in headless Chromium, as a reader has it from a file."""

import os
import shutil
import time

import pandas as pd
import pytest
from report_study import HOSTILE, made_up, page_of

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = api.expect
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium on the PATH"),
]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A made-up study of 25,000 samples with long texts, as (layout, folder, page)."""

    def long_text(rng, answer):
        words = rng.integers(0, 10**6, 150)
        return f"{' '.join(map(str, words))} so \\boxed{{{answer}}}"

    problems = dict.fromkeys(("math", "contest", "third", "fourth", "fifth"), 16)
    folder = tmp_path_factory.mktemp("study")
    layout = made_up(folder, long_text, models=5, problems=problems)
    return layout, folder, page_of(layout, folder)


@pytest.fixture(scope="module")
def chromium():
    """A browser; the sandbox needs a user who is not root."""
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, study):
    """Opens the page; at the end nothing was said on the console or asked of any network."""
    said, asked, pages = [], [], []

    def open_page(**options):
        page = chromium.new_page(**options)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(study[2].as_uri())
        page.wait_for_selector(".response")
        pages.append(page)
        return page

    yield open_page
    assert pages
    assert [page.evaluate("window.pwned") for page in pages] == [None] * len(pages)
    for page in pages:
        page.close()
    assert said == []
    assert {url for url in asked if not url.startswith("data:")} == {study[2].as_uri()}


def pick(page, model, method, benchmark, problem):
    page.select_option("#pick-model", label=model)
    page.select_option("#pick-method", label=method)
    page.select_option("#pick-benchmark", value=benchmark)
    page.select_option("#pick-problem", value=str(problem))
    expect(page.locator("#gold")).to_have_text(str(problem))
    expect(page.locator("#pick-problem")).to_have_value(str(problem))


def scores_of(folder, model, run, benchmark, problem):
    scores = pd.read_parquet(folder / f"results/made-up/scores/{model}/{run}.parquet")
    return scores[(scores["benchmark"] == benchmark) & (scores["problem_id"] == problem)]


@pytest.mark.timed
def test_25_000_samples_open_in_two_seconds(opened, study):
    layout, _, file = study
    samples = len(layout["rows"]) * 5 * 15 * 16  # 15 problems of each benchmark, of the 16
    assert 24_000 <= samples <= 25_000
    assert file.stat().st_size > 5_000_000
    seconds = []
    for _ in range(3):  # the best of which is the page's, not the machine's
        started = time.perf_counter()
        page = opened()
        assert page.locator(".response").count() == 16
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 2
    assert "The first 75 of 80 problems" in page.inner_text("#samples")


@pytest.mark.parametrize("word", ["measured", "paper", "difference"])
def test_columns_sort_by_what_is_chosen_both_ways(opened, word):
    page = opened()
    page.check(f"#tables input[value={word}]")
    heading = page.locator("#table-table1 thead th", has_text="Math")

    def column():
        cells = page.locator("#table-table1 tbody tr td:nth-child(3)")
        values = [cell.get_attribute(f"data-{word}") for cell in cells.all()]
        there = [value != "" for value in values]
        assert there == sorted(there, reverse=True) or not heading.get_attribute("aria-sort")
        return [float(value) for value in values if value]  # what is not there comes last

    before = column()
    assert len(set(before)) > 2
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert column() == sorted(before, reverse=True)
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert column() == sorted(before)


def test_rows_stay_together_and_words_sort_from_a_on(opened):
    page = opened()
    rows = page.locator("#table-table1 tbody tr")
    before = sorted(rows.all_inner_texts())
    page.locator("#table-table1 thead button", has_text="Method").click()
    assert sorted(rows.all_inner_texts()) == before
    methods = page.locator("#table-table1 tbody tr td:nth-child(2)").all_inner_texts()
    assert methods == sorted(methods, key=str.casefold)
    assert len(set(methods)) == 4


def test_p_values_sort_as_numbers(opened):
    page = opened()
    table = page.locator("#comparisons table").first
    table.locator("thead button", has_text="Holm").click()
    table.locator("thead button", has_text="Holm").click()
    cells = table.locator("tbody tr td:nth-child(6)").all()
    values = [float(cell.get_attribute("data-sort")) for cell in cells]
    assert values == sorted(values)
    assert values[0] < values[-1]


def test_a_problem_s_responses_are_those_of_the_files(opened, study):
    page = opened()
    pick(page, "Model 1", "DFT", "contest", 7)
    folder = study[1] / "results/made-up"
    samples = pd.read_parquet(folder / "samples/model-1/dft-seed0.parquet")
    own = samples[(samples["benchmark"] == "contest") & (samples["problem_id"] == 7)]
    assert page.locator(".response pre").all_inner_texts() == own["text"].tolist()
    assert page.inner_text("#question") == "What is 7 in contest?"
    scores = scores_of(study[1], "model-1", "dft-seed0", "contest", 7)
    assert page.locator(".response .said code").all_inner_texts() == scores["answer"].tolist()


def test_filters_keep_right_wrong_and_timeouts(opened, study):
    page = opened()
    scores = pd.read_parquet(study[1] / "results/made-up/scores/model-0/base-seed0.parquet")
    late = scores[(scores["status"] == "timeout") & (scores["problem_id"].between(2, 14))].iloc[0]
    pick(page, "Model 0", "Base", late["benchmark"], late["problem_id"])
    own = scores_of(study[1], "model-0", "base-seed0", late["benchmark"], late["problem_id"])
    timeouts = (own["status"] == "timeout").sum()
    wanted = {"right": own["correct"].sum(), "wrong": (~own["correct"]).sum() - timeouts,
              "timeout": timeouts, "all": 16}  # fmt: skip
    assert min(wanted.values()) > 0
    for word, count in wanted.items():
        page.check(f"#filter input[value={word}]")
        shown = page.locator(".response")
        expect(shown).to_have_count(int(count))
        if word != "all":
            assert all(word in text for text in shown.locator(".verdict").all_inner_texts())
        assert page.locator(f"#filter label:has(input[value={word}]) b").inner_text() == str(count)


def test_steps_go_through_the_problems(opened):
    page = opened()
    assert page.locator("#previous").is_disabled()
    page.click("#next")
    expect(page.locator("#gold")).to_have_text("1")
    page.click("#previous")
    expect(page.locator("#gold")).to_have_text("0")


def test_hostile_text_shows_as_text(opened):
    page = opened()
    pick(page, "Model 0", "Base", "math", 0)
    first = page.locator(".response").first
    assert first.locator("pre").inner_text() == HOSTILE
    assert first.locator(".said code").inner_text() == HOSTILE
    pick(page, "Model 0", "Base", "math", 1)
    assert page.inner_text("#question") == f"What is {HOSTILE} in math?"
    assert page.locator("#samples img").count() == 0


def test_a_table_s_number_leads_to_its_samples(opened):
    page = opened()
    row = page.locator("#table-table1 tbody tr", has_text="Model 3").filter(has_text="iw-SFT")
    row.locator("td a").nth(1).click()
    expect(page.locator("#pick-benchmark")).to_have_value("contest")
    chosen = "e => e.selectedOptions[0].label"
    assert page.locator("#pick-model").evaluate(chosen) == "Model 3"
    assert page.locator("#pick-method").evaluate(chosen) == "iw-SFT"


@pytest.mark.parametrize("address", ["#%", "#samples/model-0/dft/constructor", "#nowhere"])
def test_an_address_that_names_no_samples_does_no_harm(opened, address):
    page = opened()
    before = page.inner_text("#question")
    page.evaluate("address => { location.hash = address; }", address)
    page.wait_for_timeout(100)
    assert page.inner_text("#question") == before


def luminance(colour):
    """Relative luminance of `rgb(r, g, b)` (WCAG 2.1)."""
    parts = [int(part) / 255 for part in colour[4:-1].split(",")]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_both_themes(opened, scheme):
    """WCAG's 4.5 : 1 between text and ground, for every kind of text there is."""
    page = opened(color_scheme=scheme)
    style = "(e, key) => getComputedStyle(e)[key]"
    ground = luminance(page.locator("body").evaluate(style, "backgroundColor"))
    assert (ground > 0.5) == (scheme == "light")
    panel = luminance(page.locator(".claims").evaluate(style, "backgroundColor"))
    for kind in ("body", ".muted", "nav a", ".reproduced .verdict", ".contradicted .verdict",
                 ".not-run .verdict", "a.measured", ".small", "select"):  # fmt: skip
        ink = luminance(page.locator(kind).first.evaluate(style, "color"))
        for behind in (ground, panel):
            light, dark = max(ink, behind), min(ink, behind)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, kind


def test_a_phone_scrolls_tables_and_not_the_page(opened):
    page = opened(viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    wide = page.locator("#tables .scroll").first
    assert wide.evaluate("e => e.scrollWidth > e.clientWidth")


def test_print_has_the_tables_and_no_controls(opened):
    a4 = 718  # CSS pixels between margins of 1 cm
    page = opened(color_scheme="dark", viewport={"width": a4, "height": 1000})
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") == a4
    assert page.locator("#table-table1").is_visible()
    assert page.locator("#verdicts").is_visible()
    for control in ("nav", "#samples", "fieldset"):
        assert not page.locator(control).first.is_visible()
    ground = page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
    assert luminance(ground) == pytest.approx(1)
