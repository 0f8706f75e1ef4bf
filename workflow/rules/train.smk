# Models: made in miniature or fetched, checked, pretrained if they have to be, fine-tuned; their cards.


rule initialise_model:
    input:
        code=code_files("initialise_model"),
        rows=pretraining_rows,
    output:
        directory(f"{RESULTS}/initial/{{base_model}}"),
    log:
        f"logs/initialise_model/{STUDY.study}/{{base_model}}.log",
    benchmark:
        f"benchmarks/initialise_model/{STUDY.study}/{{base_model}}.tsv"
    wildcard_constraints:
        base_model=one_of(PRETRAINED),
    conda:
        ENVIRONMENT
    params:
        settings=base_settings("initialise_model"),
    shell:
        "python -m rectify initialise_model --settings {params.settings:q} --rows {input.rows}"
        " --out {output} > {log} 2>&1"


rule fetch_model:
    input:
        code=code_files("fetch_model"),
        files=model_files,
    output:
        directory(f"{RESULTS}/models/{{base_model}}"),
    log:
        f"logs/fetch_model/{STUDY.study}/{{base_model}}.log",
    benchmark:
        f"benchmarks/fetch_model/{STUDY.study}/{{base_model}}.tsv"
    wildcard_constraints:
        base_model=one_of(set(BASES) - set(PRETRAINED)),
    conda:
        ENVIRONMENT
    params:
        settings=base_settings("fetch_model"),
    shell:
        "python -m rectify fetch_model --settings {params.settings:q} --out {output} > {log} 2>&1"


rule check_model:
    input:
        code=code_files("check_model"),
        model=first_model,
        rows=f"{RESULTS}/data/training.parquet",
        benchmarks=benchmark_files(),
    output:
        f"{RESULTS}/checks/{{model}}.json",
    log:
        f"logs/check_model/{STUDY.study}/{{model}}.log",
    benchmark:
        f"benchmarks/check_model/{STUDY.study}/{{model}}.tsv"
    conda:
        ENVIRONMENT
    params:
        settings=settings("check_model", "model"),
    shell:
        "python -m rectify check_model --settings {params.settings:q} --model {input.model}"
        " --rows {input.rows} --benchmarks {input.benchmarks} --out {output} > {log} 2>&1"


# Nothing is trained before all rows have been read and every model of the study has been checked
# against them (see gates_due): bad input is found in the first minute.
rule check_models:
    input:
        expand(f"{RESULTS}/checks/{{model}}.json", model=STUDY.models),
    output:
        touch(CHECKED),
        touch(gates_due()),
    log:
        f"logs/check_models/{STUDY.study}.log",
    localrule: True


rule pretrain_model:
    input:
        code=code_files("train"),
        model=f"{RESULTS}/initial/{{base_model}}",
        rows=pretraining_rows,
        checked=f"{RESULTS}/checks/{{base_model}}",
    output:
        directory(f"{RESULTS}/models/{{base_model}}"),
    log:
        f"logs/pretrain_model/{STUDY.study}/{{base_model}}.log",
    benchmark:
        f"benchmarks/pretrain_model/{STUDY.study}/{{base_model}}.tsv"
    wildcard_constraints:
        base_model=one_of(PRETRAINED),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        gpu=GPU,
        nodes=1,
        # one torchrun per node starts the others
        tasks_per_gpu=0,
    params:
        processes=processes_per_node,
        settings=base_settings("pretrain_model"),
        state=f"{RESULTS}/state/{{base_model}}",
    shell:
        "python -m rectify launch --processes {params.processes} --nodes {resources.nodes} --"
        " train --settings {params.settings:q} --rows {input.rows}"
        " --model {input.model} --out {output} --state {params.state} > {log} 2>&1"


rule train_model:
    input:
        code=run_code,
        model=base_of_run,
        rows=run_rows,
        checked=f"{RESULTS}/checks/{{model}}/{{run}}",
    output:
        directory(f"{RESULTS}/models/{{model}}/{{run}}"),
    log:
        f"logs/train_model/{STUDY.study}/{{model}}/{{run}}.log",
    benchmark:
        f"benchmarks/train_model/{STUDY.study}/{{model}}/{{run}}.tsv"
    wildcard_constraints:
        run=one_of({run.name for run in RUNS.values()} - PPO),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        gpu=GPU,
        nodes=1,
        # one torchrun per node starts the others
        tasks_per_gpu=0,
    params:
        processes=processes_per_node,
        step=run_step,
        settings=training_settings,
        # outside the outputs, which Snakemake deletes when a job fails
        state=f"{RESULTS}/state/{{model}}/{{run}}",
        tensorboard=f"logs/tensorboard/{STUDY.study}/{{model}}/{{run}}",
    shell:
        "python -m rectify launch --processes {params.processes} --nodes {resources.nodes} --"
        " {params.step} --settings {params.settings:q} --rows {input.rows}"
        " --model {input.model} --out {output} --state {params.state}"
        " --tensorboard {params.tensorboard} > {log} 2>&1"


# of its own, since it has one process and so takes one GPU
use rule train_model as train_ppo with:
    output:
        directory(f"{RESULTS}/models/{{model}}/{{run}}"),
    log:
        f"logs/train_ppo/{STUDY.study}/{{model}}/{{run}}.log",
    benchmark:
        f"benchmarks/train_ppo/{STUDY.study}/{{model}}/{{run}}.tsv"
    wildcard_constraints:
        run=one_of(PPO),


if RUNS:

    # A card holds a model's scores, so it is written last, into the model's folder. That is another
    # rule's output, which this one cannot claim: the marker stands for all cards. Nothing notices a
    # README.md: no hash takes it in, and Snakemake goes by a time stamp of its own in the folder.
    rule write_cards:
        input:
            code=code_files("write_cards"),
            models=layouts.files_in(card_layout(STUDY)),
        output:
            touch(f"{RESULTS}/models/.cards"),
        log:
            f"logs/write_cards/{STUDY.study}.log",
        benchmark:
            f"benchmarks/write_cards/{STUDY.study}.tsv"
        conda:
            ENVIRONMENT
        params:
            settings=as_json(card_layout(STUDY)),
        shell:
            "python -m rectify write_cards --settings {params.settings:q} > {log} 2>&1"
