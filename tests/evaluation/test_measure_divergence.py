"""How far a trained model has gone from its base model, token by token."""

import pandas as pd
import pytest
import torch
from helpers import SETTINGS, one_line, settings_file, step
from rectify.evaluation.measure_divergence import row_divergences
from rectify.models.check_model import check_text
from rectify.models.encoding import encode_rows
from rectify.models.folder import load_model
from rectify.models.tokenizer import load_tokenizer
from rectify.step.errors import StepError


def moved(model):
    """The model with other weights."""
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.05 * torch.randn_like(weight)
    return model


def test_a_model_is_at_no_distance_from_itself(model_folder, rows):
    examples, _ = encode_rows(load_tokenizer(model_folder), "chat", rows.head(5), 128)
    models = [load_model(model_folder, "fp32") for _ in range(2)]
    found = list(row_divergences(*models, examples, 2))
    assert sorted(place for place, *_ in found) == list(range(5))
    assert {place: tokens for place, tokens, _ in found} == {
        place: len(example.response) for place, example in enumerate(examples)
    }
    assert [kl for *_, kl in found] == pytest.approx([0.0] * 5, abs=1e-5)


@pytest.mark.parametrize("batch", [1, 3])
def test_a_distance_is_kl_from_the_base_model_over_the_whole_vocabulary(model_folder, rows, batch):
    examples, _ = encode_rows(load_tokenizer(model_folder), "chat", rows.head(5), 128)
    base, model = load_model(model_folder, "fp32"), moved(load_model(model_folder, "fp32"))
    expected = {}
    with torch.no_grad():
        for place, example in enumerate(examples):
            ids = torch.tensor([example.prompt + example.response])
            own = slice(len(example.prompt) - 1, ids.shape[1] - 1)
            p, q = (each(input_ids=ids).logits[0, own].double().softmax(-1) for each in
                    (base, model))  # fmt: skip
            expected[place] = float((p * (p / q).log()).sum())
    found = {place: kl for place, _, kl in row_divergences(model, base, examples, batch)}
    assert found == pytest.approx(expected, rel=1e-4)
    assert min(found.values()) > 0.1


def test_a_text_none_of_whose_rows_is_fit_is_refused_before_anything_is_trained(
    model_folder, rows, tmp_path
):
    file = tmp_path / "text.parquet"
    settings = {"train_prompt": "chat", "max_length": 128}
    rows.head(3).to_parquet(file)
    assert check_text(model_folder, settings, str(file))["rows"] == 3
    rows.head(3).assign(solution="").to_parquet(file)
    with pytest.raises(StepError, match=r"text.parquet: none of 3 rows leaves room for a response"):
        check_text(model_folder, settings, str(file))
    rows.head(3).assign(solution=["x", "", "y"]).to_parquet(file)
    with pytest.raises(StepError, match=r"text.parquet: of 3 rows 1 whose response is EOS alone"):
        check_text(model_folder, settings | {"unfit": "refuse"}, str(file))


@pytest.mark.slow
def test_the_step_writes_a_row_for_each_that_is_fit(model_folder, rows, tmp_path):
    own = rows.head(6).copy()
    own.loc[2, "solution"] = ""  # EOS alone
    own.to_parquet(tmp_path / "rows.parquet")
    base = load_model(model_folder, "fp32")
    moved(base).save_pretrained(tmp_path / "model")
    load_tokenizer(model_folder).save_pretrained(tmp_path / "model")
    words = ("measure_divergence", "--settings", settings_file(SETTINGS), "--rows",
             tmp_path / "rows.parquet", "--model", tmp_path / "model", "--base", model_folder,
             "--out", tmp_path / "divergence.parquet")  # fmt: skip
    done = step(*words)
    assert done.returncode == 0, done.stderr
    found = pd.read_parquet(tmp_path / "divergence.parquet")
    assert found["row"].tolist() == [0, 1, 3, 4, 5]
    assert (found["kl"] > 0).all()
    mean = found["kl"].sum() / found["tokens"].sum()
    assert f"{mean:.4f} nats per token of 5 rows" in done.stdout
    (tmp_path / "divergence.parquet").unlink()
    own.assign(solution="").to_parquet(tmp_path / "rows.parquet")
    one_line(step(*words), "rows.parquet: none of 6 rows leaves room for a response")
    assert not (tmp_path / "divergence.parquet").exists()


@pytest.mark.slow
def test_models_of_other_vocabularies_are_refused(model_folder, rows, tmp_path):
    rows.head(2).to_parquet(tmp_path / "rows.parquet")
    model = load_model(model_folder, "fp32")
    model.resize_token_embeddings(model.config.vocab_size + 8)
    model.save_pretrained(tmp_path / "model")
    load_tokenizer(model_folder).save_pretrained(tmp_path / "model")
    done = step("measure_divergence", "--settings", settings_file(SETTINGS), "--rows",
                tmp_path / "rows.parquet", "--model", tmp_path / "model", "--base", model_folder,
                "--out", tmp_path / "divergence.parquet")  # fmt: skip
    one_line(done, "their distributions can not be compared")
    assert not (tmp_path / "divergence.parquet").exists()
