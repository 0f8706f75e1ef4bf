# A job's settings and inputs, by the wildcards that name what it makes.


@cache
def settings_of(made_by, *names):
    """The file that a rule's job has its settings from; a dry run does not write it."""
    given = RULES[made_by](STUDY, *names)
    return settings_file(STUDY, made_by, given, write=not workflow.dryrun)


def settings(made_by, *names):
    """The same, by the wildcards that name what the job makes."""
    return lambda wildcards: settings_of(made_by, *map(wildcards.get, names))


def base_settings(made_by):
    """The same, where that is a base model."""
    return lambda wildcards: settings_of(made_by, *wildcards.base_model.split("/"))


def check_settings(wildcards):
    """The same, where that is what was found about a base model or a ready checkpoint."""
    return settings_of("check_model", *wildcards.checked.split("/"))


def row_files(wildcards):
    """The local file that rows come from, or all files of a data set's local folder."""
    source = Path(local_source(STUDY, wildcards.rows) or "")
    if source.is_file():
        return str(source)
    return list(map(str, held(source))) if source.is_dir() and source.name else []


def mixed_rows(wildcards):
    """Rows that are mixed into these."""
    return paths.mixed_rows(STUDY, wildcards.rows)


def mixed_option(wildcards, input):
    """Of rectify sample_rows."""
    return f" --mixed {input.mixed}" if input.mixed else ""


def data_dir(wildcards):
    """Where a local file is looked for; no matter to rows from elsewhere."""
    return STUDY.data_dir if row_sources(STUDY)[wildcards.rows][1].file else "."


def study_given(wildcards):
    """The file with the study, as it is verified."""
    return study_file(STUDY, write=not workflow.dryrun)


def pretraining_rows(wildcards):
    model, _ = wildcards.base_model.split("/")
    return paths.rows(STUDY, f"pretraining/{model}")


def model_files(wildcards):
    """The files of a local or kept model folder, so that new weights are noticed."""
    model, base = wildcards.base_model.split("/")
    folder = Path(SETTINGS["fetch_model"](STUDY, model, base)["path"])
    return list(map(str, held(folder))) if folder.is_dir() else []


def gguf_file(wildcards):
    """The local GGUF file that a base model is made of."""
    model, _ = wildcards.base_model.split("/")
    file = STUDY.models[model].gguf
    return [] if "://" in file else file


def part_of(wildcards):
    """A part of the problems as `rectify decode --part` takes it."""
    return f"{PARTS.index(wildcards.part) + 1}/{len(PARTS)}"


def sample_files(wildcards):
    """All parts of a model's samples."""
    return paths.sample_files(STUDY, wildcards.model, wildcards.decoded)


def answer_files(wildcards):
    """All parts of a base model's own answers to the training questions."""
    names = [f"samples{part}.parquet" for part in PARTS]
    whose = wildcards.model, wildcards.base
    return [paths.own_answers(STUDY, *whose, name) for name in names]


def question_limit(wildcards):
    count = STUDY.self_sampling.questions
    return f"--count {count}" if count else ""


def processes_per_node(wildcards, resources):
    """A training's processes on each of its nodes: one for each of the job's GPUs."""
    return max(1, resources.gpu // resources.nodes)


def run_of(wildcards):
    return RUNS[wildcards.model, wildcards.run]


def training_settings(wildcards):
    given = run_settings(STUDY, run_of(wildcards))
    return settings_file(STUDY, "train_model", given, write=not workflow.dryrun)


def run_step(wildcards):
    """The step that trains a run: train, dpo, grpo or ppo."""
    return STUDY.methods[run_of(wildcards).method].step


def run_code(wildcards):
    return code_sha256(run_step(wildcards))


def own_objective(wildcards):
    """A user's own file, if the objective of a run is in one."""
    return expected.own_file(STUDY, run_of(wildcards).method)


def start_of_run(wildcards):
    """The model that a run's training starts from."""
    return paths.start(STUDY, run_of(wildcards))


def reference_of_run(wildcards):
    """The model that a run takes for its reference, where it is another run's."""
    return paths.reference(STUDY, run_of(wildcards))


def base_of_run(wildcards):
    """The base model of a run."""
    return paths.base_of(STUDY, run_of(wildcards))


def compared_with(wildcards):
    """The same, or its base model."""
    return reference_of_run(wildcards) or start_of_run(wildcards)


def reference_option(wildcards, input):
    """Of rectify train."""
    return f" --reference {input.reference}" if input.reference else ""


def run_rows(wildcards):
    """What a run is trained on."""
    return paths.training_rows(STUDY, run_of(wildcards))


def gate_of_base(wildcards):
    """What lets a base model, or a ready checkpoint, be decoded; a trained one has been let through
    before its training.
    """
    run = wildcards.model, wildcards.run
    trained = run in RUNS and wildcards.run not in READY
    return [] if trained else paths.gate(STUDY, *run)


def text_option(wildcards, input):
    """Of rectify check_model."""
    return f" --text {input.text}" if input.text else ""


def first_base(wildcards):
    """A model as it is before its fine-tuning; that of the first seed, where each has its own."""
    return paths.model(
        STUDY, wildcards.model, runs.base_names(STUDY, wildcards.model)[0]
    )


def gate_of_first_base(wildcards):
    """What lets it be read."""
    return paths.gate(
        STUDY, wildcards.model, runs.base_names(STUDY, wildcards.model)[0]
    )


def first_model(wildcards):
    """What is checked before any training: a base model, a miniature's random weights, or a ready
    checkpoint.
    """
    if wildcards.checked in CHECKPOINTS:
        return paths.model(STUDY, wildcards.checked)
    base = f"{wildcards.checked}/{runs.base_names(STUDY, wildcards.checked)[0]}"
    return (paths.initial if base in PRETRAINED else paths.model)(STUDY, base)


def sweep_inputs(wildcards):
    """The models and scores that a sweep's run is chosen from."""
    return layouts.files_in(sweeps.choice_layout(STUDY, run_of(wildcards)))


def role_of(wildcards):
    """The role of the benchmarks that some answers are to."""
    return paths.role_of(wildcards.decoded)


def scored_problems(wildcards):
    return benchmark_files(role_of(wildcards))


def scored_files(wildcards):
    return grader_files(STUDY, role_of(wildcards))


def scored_graders(wildcards):
    """Of rectify score."""
    named = graders(STUDY, role_of(wildcards))
    return ["--graders", *named] if named else []


def table_inputs(wildcards):
    return layouts.files_in(layouts.table_layout(STUDY, wildcards.table))


def figure_code(wildcards):
    """The step's modules, and the figure's."""
    return code_sha256("plot_figure", wildcards.figure)


def figure_caption(wildcards):
    return figures()[wildcards.figure].CAPTION


def figure_inputs(wildcards):
    own = expected.drawn_files(STUDY, wildcards.figure)
    return [*layouts.files_in(layouts.figure_layout(STUDY, wildcards.figure)), *own]
