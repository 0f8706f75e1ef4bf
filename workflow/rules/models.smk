# Base models: made in miniature or fetched, checked, pretrained if they have to be.


rule initialise_model:
    input:
        rows=pretraining_rows,
    output:
        directory(paths.initial(STUDY, "{base_model}")),
    log:
        f"logs/initialise_model/{STUDY.study}/{{base_model}}.log",
    benchmark:
        f"benchmarks/initialise_model/{STUDY.study}/{{base_model}}.tsv"
    wildcard_constraints:
        base_model=one_of(PRETRAINED),
    conda:
        ENVIRONMENT
    params:
        code=code_sha256("initialise_model"),
        settings=base_settings("initialise_model"),
    shell:
        "python -m rectify initialise_model --settings {params.settings} --rows {input.rows}"
        " --out {output} > {log} 2>&1"


rule fetch_model:
    input:
        files=model_files,
    output:
        directory(paths.model(STUDY, "{base_model}")),
    log:
        f"logs/fetch_model/{STUDY.study}/{{base_model}}.log",
    benchmark:
        f"benchmarks/fetch_model/{STUDY.study}/{{base_model}}.tsv"
    wildcard_constraints:
        base_model=one_of(FETCHED),
    conda:
        ENVIRONMENT
    params:
        code=code_sha256("fetch_model"),
        settings=base_settings("fetch_model"),
    shell:
        "python -m rectify fetch_model --settings {params.settings} --out {output} > {log} 2>&1"


rule convert_gguf:
    input:
        file=gguf_file,
    output:
        directory(paths.model(STUDY, "{base_model}")),
    log:
        f"logs/convert_gguf/{STUDY.study}/{{base_model}}.log",
    benchmark:
        f"benchmarks/convert_gguf/{STUDY.study}/{{base_model}}.tsv"
    wildcard_constraints:
        base_model=one_of(CONVERTED),
    conda:
        ENVIRONMENT
    params:
        code=code_sha256("convert_gguf"),
        settings=base_settings("convert_gguf"),
    shell:
        "python -m rectify convert_gguf --settings {params.settings} --out {output} > {log} 2>&1"


rule check_model:
    input:
        model=first_model,
        rows=paths.rows(STUDY, "training"),
        benchmarks=paths.asked_files(STUDY),
        text=paths.text_files(STUDY),
    output:
        paths.check(STUDY, "{checked}"),
    log:
        f"logs/check_model/{STUDY.study}/{{checked}}.log",
    benchmark:
        f"benchmarks/check_model/{STUDY.study}/{{checked}}.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code_sha256("check_model"),
        settings=check_settings,
        text=text_option,
    shell:
        "python -m rectify check_model --settings {params.settings} --model {input.model}"
        " --rows {input.rows} --benchmarks {input.benchmarks}{params.text} --out {output}"
        " > {log} 2>&1"


# Nothing is trained before all rows have been read and every model of the study has been checked
# against them (see gates_due): bad input is found in the first minute.
rule check_models:
    input:
        expand(paths.check(STUDY, "{checked}"), checked=[*STUDY.models, *CHECKPOINTS]),
    output:
        touch(CHECKED),
        touch(gates_due()),
    log:
        f"logs/check_models/{STUDY.study}.log",
    localrule: True


rule pretrain_model:
    input:
        model=paths.initial(STUDY, "{base_model}"),
        rows=pretraining_rows,
        checked=paths.gate(STUDY, "{base_model}"),
    output:
        directory(paths.model(STUDY, "{base_model}")),
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
        code=code_sha256("train"),
        processes=processes_per_node,
        settings=base_settings("pretrain_model"),
        state=paths.state(STUDY, "{base_model}"),
    shell:
        "python -m rectify launch --processes {params.processes} --nodes {resources.nodes} --"
        " train --settings {params.settings} --rows {input.rows}"
        " --model {input.model} --out {output} --state {params.state} > {log} 2>&1"
