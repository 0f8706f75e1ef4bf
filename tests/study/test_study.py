"""Study files: schema and reference do not drift, files extend others, mistakes are named."""

import inspect
import json
import re
from collections.abc import Iterator
from typing import get_args, get_type_hints

import pytest
import yaml
from helpers import ROOT, changed, one_line, snakemake, step
from rectify.evaluation.engines import ENGINES
from rectify.jobs.preflight import check_files, check_runs
from rectify.paper.claims_file import Claim, Test
from rectify.paper.evidence import TESTS, Evidence, Result
from rectify.step.errors import StepError
from rectify.study.docs import claims_schema, json_schema, keys_markdown
from rectify.study.load import load_study
from rectify.study.outputs import Decoding
from rectify.study.schema import BLOCKS, Study

STUDIES = [
    path for path in sorted((ROOT / "config").glob("*.yaml")) if not path.name.startswith("claims")
]

pytestmark = pytest.mark.usefixtures("at_root")


def test_the_schemas_are_made_from_the_classes():
    """If this fails: `make docs`."""
    schemas = ROOT / "workflow" / "schemas"
    assert (schemas / "study.schema.json").read_text() == json_schema(Study)
    assert (schemas / "claims.schema.json").read_text() == claims_schema(Claim)


def test_the_reference_is_made_from_the_classes():
    """If this fails: `make docs`."""
    assert keys_markdown(BLOCKS) in (ROOT / "config" / "README.md").read_text()


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.name)
def test_every_study_file_loads_and_names_its_schema(path):
    import jsonschema

    assert path.read_text().startswith("# yaml-language-server: $schema=../workflow/schemas/study")
    load_study(path.relative_to(ROOT))
    schema = json.loads((ROOT / "workflow" / "schemas" / "study.schema.json").read_text())
    jsonschema.validate(yaml.safe_load(path.read_text()), schema)


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.name)
def test_a_study_as_it_is_printed_with_all_defaults_is_the_same_study(path):
    study = load_study(path.relative_to(ROOT))
    assert load_study(study.model_dump(mode="json", exclude={"extends"})) == study.model_copy(
        update={"extends": None}
    )


@pytest.mark.parametrize("name", ["claims.yaml", "claims-mini.yaml"])
def test_every_claims_file_is_of_its_schema_and_names_it(name):
    import jsonschema

    text = (ROOT / "config" / name).read_text()
    assert text.startswith("# yaml-language-server: $schema=../workflow/schemas/claims.schema.json")
    schema = json.loads((ROOT / "workflow" / "schemas" / "claims.schema.json").read_text())
    claims = yaml.safe_load(text)
    jsonschema.validate(claims, schema)
    del claims[0]["tests"][0]["method"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(claims, schema)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("trainig", {}, "trainig: no such key; did you mean 'training'?"),
        ("training.learning_rat", 1e-3, "did you mean 'learning_rate'?"),
        ("models.qwen2-mini.pretrain.training.bath_size", 8, "did you mean 'batch_size'?"),
        ("training.learning_rate", -1, "training.learning_rate: Input should be greater than 0"),
        ("training.betas", [0.9, 2], "training.betas.1"),
        ("training.micro_batch_size", 10, "micro_batch_size 10 does not divide batch_size 64"),
        ("training.accumulation", "mean", "training.accumulation: Input should be 'token_mean'"),
        ("decoding.samples", 0, "decoding.samples"),
        ("decoding.data_parallel", 2, "data_parallel: no such key; did you mean 'shards'?"),
        ("methods.dft.objective", "dtf", "no objective 'dtf'; there are sft, dft, dft-sequence"),
        (
            "methods.dft.parameters",
            {"gama": 1},
            "methods.dft: objective 'dft': no parameter 'gama'",
        ),
        (
            "methods.dft.objective",
            "own.py:weight",
            "methods.dft: objective 'own.py:weight': no such",
        ),
        ("methods.dft.training", {"lr": 1}, "models.qwen2-mini with methods.dft: lr: no such key"),
        ("tables.table1.methods", ["base", "rloo"], "tables.table1.methods: no method 'rloo'"),
        ("figures.figure1.model", "gpt", "figures.figure1.model: no model 'gpt'"),
        ("models.qwen2-mini.eval_prompt", "chta", "no prompt style 'chta'; there are chat"),
        ("benchmarks.two-steps.file", "x.jsonl", "needs exactly one of world, file, hub"),
        ("data.rows", None, "a world needs `rows`"),
        ("data.world.steps", [5, 2], "data.world: steps go from 5 down to 2"),
        ("seeds", [], "seeds: List should have at least 1 item"),
        ("seeds", [0, 0], "seeds: [0, 0] names a value twice"),
        ("seeds", [1], "figures.figure1.seeds: 'sft' is not trained with seed 0, but with [1]"),
        ("figures.figure2.seeds", [0, 3], "figure2.seeds: 'sft' is not trained with seed 3, but"),
        ("methods.grpo.seeds", 4, "methods.grpo.seeds: 4, but the study's seeds are [0, 1, 2]"),
        ("methods.ppo.seeds", 4, "methods.ppo.seeds: 4, but the study's seeds are [0, 1, 2]"),
        (
            "methods.iw-sft.published",
            "sft",
            "tables.table2.methods: 'sft' and 'iw-sft' are both 'sft' (sft) in the table's CSV",
        ),
        ("tables.table1.methods", ["base", "sft", "base"], "'base' and 'base' are both 'base' (-)"),
        ("tables.table1.methods", [], "tables.table1.methods: List should have at least 1 item"),
        ("figures.figure3.batch_sizes", [10], "micro_batch_size 16 does not divide batch_size 10"),
        ("figures.figure3.learning_rates", [-1.0], "learning_rate: Input should be greater than 0"),
        ("models.qwen2-mini.pretrain.shape.hiden_size", 64, "did you mean 'hidden_size'?"),
        ("models.qwen2-mini.pretrain.shape.num_attention_heads", 3, "must divide hidden_size 128"),
        ("models.qwen2-mini.pretrain.shape.hidden_size", 96, "is 24; vLLM takes heads of 32"),
        ("figures.figure1.checkpoints", [], "List should have at least 1 item"),
        ("figures.figure3", {"learning_rates": [], "batch_sizes": []}, "needs learning_rates or"),
        ("benchmarks.two-steps.title", "3 steps", "benchmarks: two have the same title"),
        ("methods.grpo.grpo.max_new_tokens", 256, "grpo: max_new_tokens 256 leaves no room for a"),
        ("methods.ppo.ppo.mini_batches", 3, "ppo.mini_batches: 3 does not divide training.batch"),
        ("methods.grpo.setting", "offline", "methods.grpo: setting: grpo is online, not offline"),
        ("methods.rft.setting", "online", "setting: objective is sft or offline, not online"),
        (
            "methods.dpo.ppo",
            {},
            "one of objective, dpo, grpo, ppo, checkpoint, sweep; has dpo, ppo",
        ),
        (
            "training.lora",
            {"rank": 8},
            "methods.dpo: training.lora is for objectives only; leave the method out (null)",
        ),
        ("methods.dft.training", {"lora": {"r": 8}}, "lora.r: no such key; there are rank, alpha"),
        ("methods.dpo.models", ["gpt"], "methods.dpo.models: no model 'gpt'"),
        ("figures.monitors.methods", ["dpo"], "figures.monitors.methods: 'dpo' has no objective"),
        ("figures.gallery.methods", ["base"], "figures.gallery.methods: 'base' has no objective"),
        ("figures.gallery.model", "gpt", "figures.gallery.model: no model 'gpt'"),
        (
            "figures.gallery.weigh_rows",
            ["dft", "rft"],
            "figures.gallery.weigh_rows: 'rft' is not in figures.gallery.methods; add it there",
        ),
        ("figures.figure2.models", ["gpt"], "figures.figure2.models: no model 'gpt'"),
        ("figures.gallery.rows", 50, "figures: gallery.rows: 50 is not figure2.rows, 1000"),
        ("methods.dft.models", ["llama-mini"], "'dft' is not applied to 'qwen2-mini'"),
        ("data.name", "main", "`name` is the configuration of a hub data set; leave it out"),
        ("data.answer_after", "(", "data.answer_after: not a regular expression: missing ), unter"),
        ("benchmarks.two-steps.answer_after", "", "answer_after: String should have at least 1"),
        (
            "benchmarks.two-steps",
            {"boxed": True, "answer_after": "####"},
            "benchmarks.two-steps: has both boxed and answer_after",
        ),
        ("methods.base", {"title": "b", "objective": "sft"}, "`base` is the model before"),
    ],
)
def test_mistakes_are_named(mini, path, value, said):
    with pytest.raises(StepError) as caught:
        load_study(changed(mini, path, value))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_or_broken_study_file(tmp_path):
    with pytest.raises(StepError, match="no such file"):
        load_study("config/gone.yaml")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(StepError, match=r"bad\.yaml: not valid YAML"):
        load_study(tmp_path / "bad.yaml")
    one_line(step("study", "config/gone.yaml"), "config/gone.yaml")


def test_extends_overrides_key_by_key_and_null_removes(mini):
    study = load_study(
        {
            "study": "child",
            "extends": "config/mini.yaml",
            "seeds": [0, 1, 7],
            "models": {"llama-mini": None},
            "training": {"learning_rate": 1e-5},
        }
    )
    assert list(study.models) == ["qwen2-mini"]
    assert study.seeds == [0, 1, 7]
    assert study.training.learning_rate == 1e-5
    assert study.training.batch_size == mini["training"]["batch_size"]


def test_a_null_reaches_the_root_of_a_chain_and_a_ring_is_refused(tmp_path):
    study = load_study(
        {"study": "x", "extends": "config/smoke.yaml", "models": {"llama-mini": None}, "tables": {}}
    )
    assert list(study.models) == ["qwen2-mini"]
    ring = tmp_path / "ring.yaml"
    ring.write_text(f"study: ring\nextends: {ring}\n")
    with pytest.raises(StepError, match="extends itself"):
        load_study(ring)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("models.qwen2-mini.pretrain.data.rows", 8, "models.qwen2-mini.pretrain.data.rows is 8"),
        (
            "models.qwen2-mini.pretrain.training.max_length",
            512,
            "models.qwen2-mini.pretrain.training.max_length is 512, but models.qwen2-mini",
        ),
        ("training.batch_size", 10240, "training.batch_size is 10240 for 'qwen2-mini sft-"),
        ("training.max_length", 512, "training.max_length is 512, but models.qwen2-mini.pretrain"),
        ("figures.figure1.checkpoints", [60], "checkpoints: 60 is not before the last step, 60"),
        (
            "methods.dft.objective",
            "reward-power",
            "methods.dft: objective 'reward-power' needs rewards; name the field that holds them "
            "in data.reward, or learn from the model's own graded answers (setting: offline)",
        ),
        ("models.llama-mini.published", "lama", "no model 'lama' in config/published.csv"),
        ("benchmarks.six-steps.published", "aime", "no benchmark 'aime' in config/published.csv"),
    ],
)
def test_what_would_fail_late_is_refused_at_once(mini, path, value, said):
    with pytest.raises(StepError) as caught:
        check_runs(load_study(changed(mini, path, value)), ROOT / "config" / "published.csv")
    assert said.replace("config/published.csv", "") in str(caught.value).replace(
        str(ROOT / "config" / "published.csv"), ""
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("table1,m,sft,sft,amc23,4.0x,v4", "line 3: accuracy '4.0x' is no number"),
        ("table1,m,sft,sft,amc23", "line 3: accuracy '' is no number"),
        ("table1,m,sft,sft,amc23,4.0,v4,1", "line 3: more fields than there are columns"),
    ],
)
def test_a_damaged_number_of_the_paper_stops_a_study_at_once(mini, tmp_path, line, said):
    lines = (ROOT / "config" / "published.csv").read_text().splitlines()
    file = tmp_path / "published.csv"
    file.write_text("\n".join([*lines[:2], line, *lines[2:]]))
    with pytest.raises(StepError, match=f"{re.escape(str(file))}: {said}"):
        check_runs(load_study(mini), file)


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ("- {id: a", "cannot be read as YAML"),
        (
            "- {id: a, sentence: A., where: T, tests: []}",
            "claim 1 .a.: tests: List should have at least 1 item",
        ),
        (
            "- {id: a, sentence: A., where: T, tests: [{kind: lower, method: dft}]}",
            r"tests\.0: Input tag 'lower' .* expected tags: 'higher', ",
        ),
        (
            "- {id: a, sentence: A., where: T, tests: [{kind: peaks_by, method: dft}]}",
            r"claim 1 \(a\): tests\.0\.peaks_by\.step: Field required",
        ),
        (
            "- {id: a, sentence: A., where: T, tests: [{kind: peaks_by, method: d, step: ten}]}",
            r"tests\.0\.peaks_by\.step: Input should be a valid integer \(is 'ten'\)",
        ),
    ],
)
def test_claims_that_cannot_be_judged_stop_a_study_at_once(mini, tmp_path, claims, said):
    file = tmp_path / "claims.yaml"
    file.write_text(claims)
    with pytest.raises(StepError, match=rf"claims\.yaml: .*{said}"):
        check_files(load_study(mini | {"claims": str(file)}))


def test_the_kinds_of_claims_are_those_that_can_be_judged():
    """Each test of a claims file has a function, whose arguments are its keys, of their types."""
    taken = {kind: get_type_hints(function) for kind, function in TESTS.items()}
    names = {kind: [*inspect.signature(function).parameters] for kind, function in TESTS.items()}
    kinds = {}
    for block in get_args(get_args(Test)[0]):
        keys = {key: field.annotation for key, field in block.model_fields.items()}
        (kind,) = get_args(keys.pop("kind"))
        kinds[kind] = {"evidence": Evidence} | keys | {"return": Iterator[Result]}
    assert kinds == taken
    assert {kind: [*keys][:-1] for kind, keys in kinds.items()} == names


def test_engines_are_those_a_study_may_name():
    assert set(ENGINES) == set(Decoding.model_json_schema()["properties"]["engine"]["enum"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("study", "override", "said"),
    [
        ("mini", "seeed=1", "seeed: no such key; did you mean 'seed'?"),
        ("real", "data_dir=gone", "data.file: no such file: gone/math_train.jsonl"),
    ],
)
def test_snakemake_stops_before_anything_with_one_line(study, override, said):
    done = snakemake("-n", "--configfile", f"config/{study}.yaml", "--config", override)
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if line.startswith("rectify: ")]
    assert len(lines) == 1, done.stderr
    assert said in lines[0]


def test_a_figure_may_not_ask_for_seeds_that_a_method_does_not_have(mini):
    """A method may be run with the first of the study's seeds alone."""
    study = changed(mini, "methods.grpo.seeds", 1)
    load_study(study)
    with pytest.raises(StepError, match=r"figure2.seeds: 'grpo' is not trained with seed 1, but"):
        load_study(changed(study, "figures.figure2.seeds", [0, 1]))
