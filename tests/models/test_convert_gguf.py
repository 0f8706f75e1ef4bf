"""A GGUF file as a base model: what is in it comes out, and what would not is refused in a line."""

import json

import pytest
import torch
from gguf_model import digits_apart, write_gguf
from helpers import SHAPE, settings_file
from rectify.models import convert_gguf
from rectify.models.encoding import encode_prompts, opening
from rectify.models.folder import load_model
from rectify.models.initialise_model import build_model
from rectify.models.tokenizer import PROBE, load_tokenizer
from rectify.step.command import run_step

SPLIT = ["1. Two\n\n2. 12  34", PROBE]  # where GPT-2's pattern would cut otherwise


@pytest.fixture(scope="module")
def tokenizer(rows):
    """Of the world's rows, so that line breaks and double spaces are tokens."""
    texts = (rows["problem"] + "\n\n" + rows["solution"] + "  ").tolist()
    return digits_apart(texts * 2)


@pytest.fixture(scope="module")
def model(tokenizer):
    """A Qwen2 with random weights, in the norms and biases too."""
    torch.manual_seed(0)
    made = build_model("qwen2", SHAPE, tokenizer)
    with torch.no_grad():
        for weight in made.parameters():
            if weight.ndim == 1:
                weight.normal_()
    return made


@pytest.fixture
def convert(tmp_path, model, tokenizer, monkeypatch):
    """Write a GGUF file (or `content`) and run the step on it, in this process."""
    monkeypatch.chdir(tmp_path)

    def run(dtype="float32", sha256=None, content=None, **options):
        file = tmp_path / "model.gguf"
        if content is None:
            write_gguf(file, model, tokenizer, **options)
        else:
            file.write_bytes(content)
        settings = {"gguf": "./model.gguf", "sha256": sha256, "dtype": dtype}
        words = ["--settings", settings_file(settings), "--out", "made"]
        run_step(convert_gguf.main, convert_gguf.parser(), words)

    return run


def test_weights_config_tokenizer_and_template_come_out_as_they_went_in(
    convert, model, tokenizer, tmp_path
):
    convert()
    made = tmp_path / "made"
    loaded = load_model(made, "fp32")
    assert loaded.state_dict().keys() == model.state_dict().keys()
    for name, weight in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], weight), name
    config = json.loads((made / "config.json").read_text())
    assert config["architectures"] == ["Qwen2ForCausalLM"]
    assert "quantization_config" not in config
    assert "Miniature" not in json.dumps(config)
    read = load_tokenizer(made)
    for text in SPLIT:
        assert read.encode(text) == tokenizer.encode(text)
    assert (read.bos_token, read.eos_token) == (tokenizer.bos_token, tokenizer.eos_token)
    problems = ["Compute 12+3."]
    for style in ("chat", "deepseek-math"):
        assert encode_prompts(read, style, problems) == encode_prompts(tokenizer, style, problems)


def test_quantised_weights_are_near_and_the_manifest_says_from_what(convert, model, tmp_path):
    convert("bfloat16", quantised=True)
    loaded = load_model(tmp_path / "made", "bf16")
    for name, weight in model.state_dict().items():
        off = (loaded.state_dict()[name].float() - weight).abs().max()
        assert off < 0.02 * weight.abs().max(), name
    manifest = json.loads((tmp_path / "made.manifest.json").read_text())
    matrices = sum(weight.ndim == 2 for weight in model.state_dict().values())
    others = len(model.state_dict()) - matrices
    assert manifest["notes"]["weights"] == "dequantised from GGUF to bfloat16"
    assert manifest["notes"]["quantisation"] == {"Q8_0": matrices, "F32": others}
    assert [entry["path"] for entry in manifest["inputs"]] == ["./model.gguf"]


@pytest.mark.parametrize("add_bos", [None, False, True])
def test_a_text_begins_with_bos_where_the_file_says_so(convert, tmp_path, add_bos):
    convert(add_bos=add_bos)
    read = load_tokenizer(tmp_path / "made")
    assert opening(read) == ([read.bos_token_id] if add_bos else [])
    raw = read.backend_tokenizer.encode("Compute").ids
    assert (raw[0] == read.bos_token_id) == bool(add_bos)


def refusal(capsys):
    """The one line on standard error that is the step's."""
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("rectify")]
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"content": b"PK\x03\x04 and more"}, "not a GGUF file"),
        ({"content": b""}, "not a GGUF file"),
        ({"content": b"GGUF\x03\0\0\0"}, "damaged or cut short"),
        ({"architecture": "rwkv7"}, "does not read this 'rwkv7' model"),
        ({"pre": "poro-chat"}, "'poro-chat', is not known here"),
        ({"more": ["rope_freqs.weight"]}, "1 of its tensors, such as rope_freqs.weight"),
        ({"without": ["blk.1.attn_q.weight"]}, "such as model.layers.1.self_attn.q_proj.weight"),
        ({"sha256": "0" * 64}, "but the study says 000"),
    ],
)
def test_what_would_be_another_model_is_refused_in_one_line(
    convert, capsys, tmp_path, options, said
):
    with pytest.raises(SystemExit):
        convert(**options)
    assert said in refusal(capsys)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_a_truncated_file_is_refused_in_one_line(
    convert, model, tokenizer, capsys, tmp_path, share
):
    write_gguf(tmp_path / "whole.gguf", model, tokenizer)
    whole = (tmp_path / "whole.gguf").read_bytes()
    with pytest.raises(SystemExit):
        convert(content=whole[: int(len(whole) * share)])
    assert "damaged or cut short" in refusal(capsys)
