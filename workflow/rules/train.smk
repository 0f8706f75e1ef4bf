# Fine-tuning: by one step for the objectives, by another each for DPO, GRPO and PPO; and the choice
# among trainings at several learning rates.


rule train_model:
    input:
        objective=own_objective,
        model=start_of_run,
        rows=run_rows,
        reference=reference_of_run,
        checked=paths.gate(STUDY, "{model}", "{run}"),
    output:
        directory(paths.model(STUDY, "{model}", "{run}")),
    log:
        f"logs/train_model/{STUDY.study}/{{model}}/{{run}}.log",
    benchmark:
        f"benchmarks/train_model/{STUDY.study}/{{model}}/{{run}}.tsv"
    wildcard_constraints:
        run=one_of({run.name for run in RUNS.values()} - PPO - READY - SWEPT),
    # before what is decoded: the longest jobs, on which most others wait
    priority: 1
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        gpu=GPU,
        nodes=1,
        # one torchrun per node starts the others
        tasks_per_gpu=0,
    params:
        code=run_code,
        processes=processes_per_node,
        step=run_step,
        settings=training_settings,
        reference=reference_option,
        # outside the outputs, which Snakemake deletes when a job fails
        state=paths.state(STUDY, "{model}", "{run}"),
        tensorboard=f"logs/tensorboard/{STUDY.study}/{{model}}/{{run}}",
    shell:
        "python -m rectify launch --processes {params.processes} --nodes {resources.nodes} --"
        " {params.step} --settings {params.settings} --rows {input.rows}"
        " --model {input.model} --out {output} --state {params.state}"
        " --tensorboard {params.tensorboard}{params.reference} > {log} 2>&1"


# of its own, since it has one process and so takes one GPU
use rule train_model as train_ppo with:
    output:
        directory(paths.model(STUDY, "{model}", "{run}")),
    log:
        f"logs/train_ppo/{STUDY.study}/{{model}}/{{run}}.log",
    benchmark:
        f"benchmarks/train_ppo/{STUDY.study}/{{model}}/{{run}}.tsv"
    wildcard_constraints:
        run=one_of(PPO),


rule choose_model:
    input:
        sweep=sweep_inputs,
        overlaps=paths.validation_overlaps(STUDY),
    output:
        directory(paths.model(STUDY, "{model}", "{run}")),
    log:
        f"logs/choose_model/{STUDY.study}/{{model}}/{{run}}.log",
    benchmark:
        f"benchmarks/choose_model/{STUDY.study}/{{model}}/{{run}}.tsv"
    wildcard_constraints:
        run=one_of(SWEPT),
    conda:
        ENVIRONMENT
    params:
        code=code_sha256("choose_model"),
        settings=settings("choose_model", "model", "run"),
    shell:
        "python -m rectify choose_model --settings {params.settings} --overlaps {input.overlaps}"
        " --out {output} > {log} 2>&1"
