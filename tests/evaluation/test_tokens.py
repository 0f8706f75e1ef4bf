"""Response tokens: their classes, and the probabilities that a model gives them."""

import pytest
import torch
from rectify.evaluation.tokens import token_classes, token_probabilities
from rectify.models.encoding import encode_rows
from rectify.models.folder import load_model
from rectify.models.tokenizer import load_tokenizer


def test_classes_of_tokens(model_folder):
    """Each piece has the class of its own text, whatever pieces the tokenizer makes of it."""
    tokenizer = load_tokenizer(model_folder)
    text = "So we add 12 + 3.5 = \\frac{31}{2}. The answer is \\boxed{\\frac{31}{2}}."
    ids = tokenizer(text + tokenizer.eos_token, add_special_tokens=False)["input_ids"]
    of_text = dict.fromkeys(("word", "number", "operator or LaTeX", "box", "other", "EOS"), "")
    for token, name in zip(ids, token_classes(tokenizer, ids), strict=True):
        of_text[name] += tokenizer.decode([token])
    assert "".join(of_text["number"].split()).startswith("12")
    assert "\\boxed" in of_text["box"].replace(" ", "")
    assert "boxed" not in of_text["word"]
    assert of_text["EOS"] == tokenizer.eos_token
    assert {"+", "="} <= set(of_text["operator or LaTeX"].replace(" ", ""))
    assert of_text["word"].replace(" ", "").startswith("Soweadd")


def test_probabilities_are_the_softmax_of_each_row_by_itself_in_the_rows_order(model_folder, rows):
    """Rows of many lengths in batches of 4, and each alone through the model's own forward pass."""
    tokenizer = load_tokenizer(model_folder)
    examples, _ = encode_rows(tokenizer, "chat", rows.head(10), 128)
    found = token_probabilities(load_model(model_folder, "fp32"), examples, 4)
    plain = load_model(model_folder, "fp32").eval()
    for example, own in zip(examples, found, strict=True):
        ids = torch.tensor([example.prompt + example.response])
        with torch.inference_mode():
            p = plain(ids).logits[0, :-1].softmax(-1)
        wanted = p.gather(1, ids[0, 1:, None])[len(example.prompt) - 1 :, 0]
        assert own.tolist() == pytest.approx(wanted.tolist(), rel=1e-4)
