"""What an objective hardly learns from: rows and classes of tokens by their weight."""

import pandas as pd
import pytest
import torch
from helpers import SETTINGS, settings_file, step
from rectify.evaluation.weigh_rows import (
    markdown,
    short_table,
    shortened,
    summed_up,
    token_weights,
)
from rectify.models.encoding import encode_rows
from rectify.models.folder import load_model
from rectify.models.tokenizer import load_tokenizer
from rectify.step.command import Settings


@pytest.mark.parametrize("objective", ["dft", "mode-seeking", "psft", "reward-top-share", "asft"])
def test_weights_are_those_of_training_before_its_first_update(model_folder, rows, objective):
    """At the reference: DFT's are p, all ratios are 1; every example once, in the file's order."""
    tokenizer, model = load_tokenizer(model_folder), load_model(model_folder, "fp32")
    rewarded = rows.head(12).assign(reward=[index % 6 / 5 for index in range(12)])
    examples, _ = encode_rows(tokenizer, "chat", rewarded, 128)
    settings = Settings(**{**SETTINGS, "objective": objective})
    reference = load_model(model_folder, "fp32")
    found = list(token_weights(model, reference, examples, settings))
    assert [example.response for example, *_ in found] == [e.response for e in examples]
    for example, weight, logp, ref_logp in found:
        assert len(weight) == len(logp) == len(example.response)
        torch.testing.assert_close(logp, ref_logp)
        if objective in ("dft", "asft"):
            torch.testing.assert_close(weight, logp.exp())
        elif objective != "reward-top-share":
            torch.testing.assert_close(weight, torch.ones_like(weight))
    if objective == "reward-top-share":  # a quarter of 12, with ties: the best two rewards
        kept = [bool(weight.max() > 0) for _, weight, *_ in found]
        assert kept == [e.reward >= 0.8 for e in examples]


def test_of_a_trained_model_the_weights_are_those_at_its_end(model_folder, rows):
    """IDFT begins as DFT, and has an exponent of its own once its ramp is over."""
    tokenizer, model = load_tokenizer(model_folder), load_model(model_folder, "fp32")
    examples, _ = encode_rows(tokenizer, "chat", rows.head(8), 128)
    settings = Settings(**{**SETTINGS, "objective": "idft"})
    reference = load_model(model_folder, "fp32")
    start, end = (
        torch.cat([w for _, w, *_ in token_weights(model, reference, examples, settings, done)])
        for done in (False, True)
    )
    logp = torch.cat([own for *_, own, _ in token_weights(model, reference, examples, settings)])
    torch.testing.assert_close(start, logp.exp())
    exponent = end.log() / logp
    assert ((exponent > 0.099) & (exponent < 2.001)).all()
    assert exponent.std() > 0.01


def test_means_by_row_and_by_class_and_the_table(tmp_path):
    tokens = pd.DataFrame(
        {
            "example": [0, 0, 1, 1],
            "class": ["word", "number", "word", "EOS"],
            "weight": [0.0, 1.0, 1.0, 2.0],
            "p": [0.5, 0.5, 1.0, 1.0],
            "log_ratio": [0.0, 2.0, 1.0, 1.0],
        }
    )
    classes, rows = summed_up(tokens, "class"), summed_up(tokens, "example")
    assert classes["tokens"].to_dict() == {"word": 2, "number": 1, "EOS": 1}
    assert classes["mean_weight"].to_dict() == {"word": 0.5, "number": 1.0, "EOS": 2.0}
    assert rows["ratio"].tolist() == pytest.approx([2.718281828] * 2)
    rows = rows.assign(row=[3, 7], problem=["a|b", "c"], solution=["x", "y " * 100])
    short = short_table(classes, rows)
    assert short["part"].tolist() == ["token"] * 3 + ["lowest", "highest"]
    assert short["name"].tolist() == ["word", "number", "EOS", 3, 7]
    assert short["solution"].tolist()[:4] == ["", "", "", "x"]
    text = markdown(short)
    assert "| word | 2 | 0.5 | 0.75 | " in text
    lowest, highest = text.split("Rows of lowest mean weight:")[1].split("Rows of highest")
    assert "| 3 | 2 | 0.5 | 0.5 | 2.72 | a\\|b | x |" in lowest
    assert "| 7 | 2 | 1.5 | 1 | 2.72 | c | y y" in highest
    assert "| 7 |" not in lowest
    assert len(shortened("y " * 100)) == 100


@pytest.mark.slow
def test_the_step_writes_both_files(model_folder, rows, tmp_path):
    rows.head(12).to_parquet(tmp_path / "rows.parquet")
    done = step(
        "weigh_rows", "--settings", settings_file(SETTINGS), "--rows", tmp_path / "rows.parquet",
        "--model", model_folder, "--reference", model_folder, "--out", tmp_path / "weights",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = pd.read_parquet(tmp_path / "weights.parquet")
    assert list(found) == ["row", "tokens", "mean_weight", "mean_p", "ratio"]
    assert found["row"].tolist() == list(range(12))
    assert found["mean_weight"].tolist() == pytest.approx(found["mean_p"].tolist())  # DFT
    assert found["ratio"].tolist() == pytest.approx([1.0] * 12)
    assert "Rows of lowest mean weight:" in (tmp_path / "weights.md").read_text()
    short = pd.read_csv(tmp_path / "weights.csv", dtype={"name": str}).set_index("part")
    assert short.loc["token", "tokens"].sum() == found["tokens"].sum()
    lowest = short.loc["lowest", "name"].astype(int)
    assert lowest.tolist() == found.sort_values("mean_weight")["row"].tolist()[:6]
