# What is shown: tables, statistics, figures, verdicts, the page, the models' cards.


rule tabulate_scores:
    input:
        rows=table_inputs,
        published="config/published.csv",
    output:
        csv=report(
            paths.table(STUDY, "{table}"),
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        md=paths.table(STUDY, "{table}", "md"),
        tex=paths.table(STUDY, "{table}", "tex"),
    log:
        f"logs/tabulate_scores/{STUDY.study}/{{table}}.log",
    benchmark:
        f"benchmarks/tabulate_scores/{STUDY.study}/{{table}}.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code_sha256("tabulate_scores"),
        settings=settings("tabulate_scores", "table"),
        out=subpath(output.csv, strip_suffix=".csv"),
    shell:
        "python -m rectify tabulate_scores --settings {params.settings} --published {input.published}"
        " --out {params.out} > {log} 2>&1"


if STUDY.tables:

    rule tabulate_overlaps:
        input:
            scores=layouts.scores_tabled(STUDY),
            overlaps=paths.overlaps(STUDY),
        output:
            csv=report(
                paths.table(STUDY, "contamination"),
                caption="../report/contamination.rst",
                category="Tables",
                labels={"table": "contamination"},
            ),
            md=paths.table(STUDY, "contamination", "md"),
        log:
            f"logs/tabulate_overlaps/{STUDY.study}.log",
        benchmark:
            f"benchmarks/tabulate_overlaps/{STUDY.study}.tsv"
        conda:
            ENVIRONMENT
        params:
            code=code_sha256("tabulate_overlaps"),
            settings=settings("tabulate_overlaps"),
            out=subpath(output.csv, strip_suffix=".csv"),
        shell:
            "python -m rectify tabulate_overlaps --settings {params.settings}"
            " --overlaps {input.overlaps} --out {params.out} > {log} 2>&1"


if STUDY.tables:

    rule tabulate_health:
        input:
            scores=layouts.scores_tabled(STUDY),
        output:
            csv=report(
                paths.table(STUDY, "health"),
                caption="../report/health.rst",
                category="Tables",
                labels={"table": "health"},
            ),
            md=paths.table(STUDY, "health", "md"),
            tex=paths.table(STUDY, "health", "tex"),
        log:
            f"logs/tabulate_health/{STUDY.study}.log",
        benchmark:
            f"benchmarks/tabulate_health/{STUDY.study}.tsv"
        conda:
            ENVIRONMENT
        params:
            code=code_sha256("tabulate_health"),
            settings=settings("tabulate_health"),
            out=subpath(output.csv, strip_suffix=".csv"),
        shell:
            "python -m rectify tabulate_health --settings {params.settings} --out {params.out}"
            " > {log} 2>&1"


if STUDY.tables:

    rule list_disagreements:
        input:
            scores=layouts.scores_tabled(STUDY),
            benchmarks=benchmark_files(),
        output:
            csv=paths.table(STUDY, "disagreements"),
            md=paths.table(STUDY, "disagreements", "md"),
        log:
            f"logs/list_disagreements/{STUDY.study}.log",
        benchmark:
            f"benchmarks/list_disagreements/{STUDY.study}.tsv"
        conda:
            ENVIRONMENT
        params:
            code=code_sha256("list_disagreements"),
            out=subpath(output.csv, strip_suffix=".csv"),
        shell:
            "python -m rectify list_disagreements --scores {input.scores} --benchmarks {input.benchmarks}"
            " --out {params.out} > {log} 2>&1"


if STUDY.retains:

    rule tabulate_retention:
        input:
            scores=layouts.files_in(retention.retention_layout(STUDY)),
        output:
            csv=report(
                paths.table(STUDY, "retention"),
                caption="../report/retention.rst",
                category="Tables",
                labels={"table": "retention"},
            ),
            md=paths.table(STUDY, "retention", "md"),
            tex=paths.table(STUDY, "retention", "tex"),
        log:
            f"logs/tabulate_retention/{STUDY.study}.log",
        benchmark:
            f"benchmarks/tabulate_retention/{STUDY.study}.tsv"
        conda:
            ENVIRONMENT
        params:
            code=code_sha256("tabulate_retention"),
            settings=settings("tabulate_retention"),
            out=subpath(output.csv, strip_suffix=".csv"),
        shell:
            "python -m rectify tabulate_retention --settings {params.settings} --out {params.out}"
            " > {log} 2>&1"


rule tabulate_rates:
    input:
        choices=layouts.files_in(sweeps.rates_layout(STUDY)),
    output:
        csv=report(
            paths.table(STUDY, "learning_rates"),
            caption="../report/learning_rates.rst",
            category="Tables",
            labels={"table": "learning rates"},
        ),
        md=paths.table(STUDY, "learning_rates", "md"),
    log:
        f"logs/tabulate_rates/{STUDY.study}.log",
    benchmark:
        f"benchmarks/tabulate_rates/{STUDY.study}.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code_sha256("tabulate_rates"),
        settings=settings("tabulate_rates"),
        out=subpath(output.csv, strip_suffix=".csv"),
    shell:
        "python -m rectify tabulate_rates --settings {params.settings} --out {params.out}"
        " > {log} 2>&1"


rule plot_figure:
    input:
        points=figure_inputs,
    output:
        pdf=paths.figure(STUDY, "{figure}", "pdf"),
        png=report(
            paths.figure(STUDY, "{figure}", "png"),
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        csv=paths.figure(STUDY, "{figure}"),
    log:
        f"logs/plot_figure/{STUDY.study}/{{figure}}.log",
    benchmark:
        f"benchmarks/plot_figure/{STUDY.study}/{{figure}}.tsv"
    conda:
        ENVIRONMENT
    params:
        code=figure_code,
        settings=settings("plot_figure", "figure"),
        caption=figure_caption,
        out=subpath(output.pdf, strip_suffix=".pdf"),
    shell:
        "python -m rectify plot_figure {wildcards.figure} --settings {params.settings}"
        " --out {params.out} > {log} 2>&1"


if STUDY.tables:

    rule summarise_scores:
        input:
            scores=layouts.scores_tabled(STUDY),
        output:
            [paths.statistics(STUDY, name) for name in layouts.STATISTICS],
        log:
            f"logs/summarise_scores/{STUDY.study}.log",
        benchmark:
            f"benchmarks/summarise_scores/{STUDY.study}.tsv"
        conda:
            ENVIRONMENT
        params:
            code=code_sha256("summarise_scores"),
            settings=settings("summarise_scores"),
            out=subpath(output[0], parent=True),
        shell:
            "python -m rectify summarise_scores --settings {params.settings} --out {params.out}"
            " > {log} 2>&1"


if STUDY.claims:

    rule judge_claims:
        input:
            claims=STUDY.claims,
            evidence=layouts.files_in(layouts.claims_layout(STUDY)),
        output:
            report(
                paths.claims(STUDY),
                caption="../report/claims.rst",
                category="Verdicts",
            ),
        log:
            f"logs/judge_claims/{STUDY.study}.log",
        benchmark:
            f"benchmarks/judge_claims/{STUDY.study}.tsv"
        conda:
            ENVIRONMENT
        params:
            code=code_sha256("judge_claims"),
            settings=settings("judge_claims"),
        shell:
            "python -m rectify judge_claims --claims {input.claims:q} --settings {params.settings}"
            " --out {output} > {log} 2>&1"


rule render_report:
    input:
        shown=layouts.files_in(layouts.report_layout(STUDY)),
    output:
        report(
            paths.report(STUDY),
            caption="../report/page.rst",
            category="Verdicts",
        ),
    log:
        f"logs/render_report/{STUDY.study}.log",
    benchmark:
        f"benchmarks/render_report/{STUDY.study}.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code_sha256("render_report"),
        settings=settings("render_report"),
    shell:
        "python -m rectify render_report --settings {params.settings} --benchmarks benchmarks"
        " --out {output} > {log} 2>&1"


if RUNS:

    # A card holds a model's scores, so it is written last, into the model's folder. That is another
    # rule's output, which this one cannot claim: the marker stands for all cards. Nothing notices a
    # README.md: no hash takes it in, and Snakemake goes by a time stamp of its own in the folder.
    rule write_cards:
        input:
            models=layouts.files_in(card_layout(STUDY)),
        output:
            touch(paths.cards(STUDY)),
        log:
            f"logs/write_cards/{STUDY.study}.log",
        benchmark:
            f"benchmarks/write_cards/{STUDY.study}.tsv"
        conda:
            ENVIRONMENT
        params:
            code=code_sha256("write_cards"),
            settings=settings("write_cards"),
        shell:
            "python -m rectify write_cards --settings {params.settings} > {log} 2>&1"
