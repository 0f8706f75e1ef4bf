# Tables, figures and the page that shows them.


rule tabulate_scores:
    input:
        code=sources("tabulate"),
        rows=table_inputs,
        published="config/published.csv",
    output:
        csv=report(
            f"{RESULTS}/tables/{{table}}.csv",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        md=f"{RESULTS}/tables/{{table}}.md",
        tex=f"{RESULTS}/tables/{{table}}.tex",
    log:
        f"logs/tabulate_scores/{STUDY.study}/{{table}}.log",
    benchmark:
        f"benchmarks/tabulate_scores/{STUDY.study}/{{table}}.tsv"
    conda:
        ENVIRONMENT
    params:
        settings=table_settings,
        out=subpath(output.csv, strip_suffix=".csv"),
    shell:
        "python -m rectify.tabulate --settings {params.settings:q} --published {input.published}"
        " --out {params.out} > {log} 2>&1"


rule plot_figure:
    input:
        code=sources("plot"),
        points=figure_inputs,
    output:
        pdf=f"{RESULTS}/figures/{{figure}}.pdf",
        png=report(
            f"{RESULTS}/figures/{{figure}}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        csv=f"{RESULTS}/figures/{{figure}}.csv",
    log:
        f"logs/plot_figure/{STUDY.study}/{{figure}}.log",
    benchmark:
        f"benchmarks/plot_figure/{STUDY.study}/{{figure}}.tsv"
    conda:
        ENVIRONMENT
    params:
        settings=figure_settings,
        out=subpath(output.pdf, strip_suffix=".pdf"),
    shell:
        "python -m rectify.plot {wildcards.figure} --settings {params.settings:q}"
        " --out {params.out} > {log} 2>&1"


rule render_report:
    input:
        code=sources("report"),
        tables=expand(f"{RESULTS}/tables/{{table}}.md", table=TABLES),
        figures=expand(f"{RESULTS}/figures/{{figure}}.png", figure=FIGURES),
    output:
        f"{RESULTS}/report.html",
    log:
        f"logs/render_report/{STUDY.study}.log",
    benchmark:
        f"benchmarks/render_report/{STUDY.study}.tsv"
    conda:
        ENVIRONMENT
    params:
        study=STUDY.study,
    shell:
        "python -m rectify.report --study {params.study:q} --tables {input.tables}"
        " --figures {input.figures} --out {output} > {log} 2>&1"
