"""Other rows among those that are trained on: their share, drawn by seed and counted."""

import json

import pandas as pd
import pytest
from helpers import one_line, settings_file, step
from rectify.data.mixing import mix, mixed_in
from rectify.step.errors import StepError


def rows(name, count):
    """Rows whose problems say where they are from."""
    problems = [f"{name} {index}" for index in range(count)]
    return pd.DataFrame({"problem": problems, "solution": "s"})


def test_a_share_is_of_all_rows_those_mixed_in_included():
    assert mixed_in(80, {"a": 0.2}) == {"a": 20}
    assert mixed_in(50, {"a": 0.2, "b": 0.3}) == {"a": 20, "b": 30}
    assert mixed_in(7, {}) == {}


def test_all_own_rows_are_kept_and_the_others_drawn_by_seed():
    own, other = rows("own", 80), rows("other", 100)
    first, counts = mix(own, {"a": other}, {"a": 0.2}, seed=1)
    again, _ = mix(own, {"a": other}, {"a": 0.2}, seed=1)
    differing, _ = mix(own, {"a": other}, {"a": 0.2}, seed=2)
    assert counts == {"a": 20}
    pd.testing.assert_frame_equal(first, again)
    assert first["problem"].tolist()[:80] == own["problem"].tolist()
    drawn = first["problem"].tolist()[80:]
    assert len(set(drawn)) == 20
    assert set(drawn) < set(other["problem"])
    assert set(drawn) != set(differing["problem"][80:])


def test_too_few_rows_and_a_column_that_others_lack_are_named():
    with pytest.raises(StepError, match=r"data.mix.a: has 10 rows, but its share of 0.2 .* is 20"):
        mix(rows("own", 80), {"a": rows("other", 10)}, {"a": 0.2}, seed=0)
    rewarded = rows("own", 8).assign(reward=1.0)
    with pytest.raises(StepError, match=r"data.mix.a: 'reward' is in some of the rows alone"):
        mix(rewarded, {"a": rows("other", 10)}, {"a": 0.2}, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("count", [30, 3])
def test_the_step_mixes_and_counts(tmp_path, count):
    lines = [json.dumps({"problem": f"own {i}", "solution": "s"}) for i in range(20)]
    (tmp_path / "own.jsonl").write_text("\n".join(lines))
    rows("other", count).to_parquet(tmp_path / "replay.parquet")
    settings = {
        "rows_of": "training", "seed": 0, "file": "own.jsonl", "problem": "problem",
        "solution": "solution", "pick": "random", "rows": 10, "mix": {"replay": 0.5},
    }  # fmt: skip
    done = step(
        "sample_rows", "--settings", settings_file(settings), "--data-dir", tmp_path, "--mixed",
        tmp_path / "replay.parquet", "--out", tmp_path / "out.parquet", "--counts",
        tmp_path / "out.json",
    )  # fmt: skip
    if count == 3:
        one_line(done, "data.mix.replay: has 3 rows")
        return
    found = pd.read_parquet(tmp_path / "out.parquet")["problem"].str.split().str[0]
    assert found.value_counts().to_dict() == {"own": 10, "other": 10}
    counts = json.loads((tmp_path / "out.json").read_text())
    assert (counts["rows"], counts["taken"], counts["mixed_in"]) == (20, 10, {"replay": 10})
