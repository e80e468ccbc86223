for study in dag.resolved.studies:

    rule:
        name:
            f"study_{study}"
        input:
            study=str(dag.study_file(study)),
            measures=dag.measured(study),
            pictures=dag.study_pictures(study),
        output:
            vectors=dag.study_figures(study, "pdf") + dag.study_figures(study, "svg"),
            figures=[
                report(file, caption=caption, category=study, labels={"what": name, "kind": "figure"})
                for name, file, caption in dag.reported_figures(study)
            ],
            tables=[
                report(file, caption=caption, category=study, labels={"what": name, "kind": "table"})
                for name, file, caption in dag.reported_tables(study)
            ],
            latex=dag.study_latex(study),
            quality=dag.study_quality(study),
            claims=str(dag.study_folder(study) / "claims.csv"),
            record=str(dag.study_record(study)),
        log:
            str(dag.study_folder(study) / "study.log"),
        group:
            cluster.group("study", study)
        conda:
            "../../environment.yml"
        threads: cores
        resources:
            mem_mb=cluster.memory("study", study),
            runtime=cluster.minutes("study", study),
            cpus_per_task=settings.threads,
        params:
            code=identity.study_code(study),
            out=subpath(output.claims, parent=True),
            missing="--allow-missing" if settings.allow_missing else "",
        shell:
            "wgpipe study --study {input.study} --measures {input.measures} --pictures {input.pictures}"
            " --out {params.out} {params.missing} &> {log}"


rule claims:
    input:
        studies=dag.claims_inputs(),
        settings=dag.study_files(),
        configs=dag.study_configs(),
    output:
        csv=report(
            str(dag.root / "claims.csv"),
            caption="../report/claims.rst",
            category="claims",
            labels={"what": "claims", "kind": "table"},
        ),
        page=report(
            str(dag.root / "claims.html"),
            caption="../report/claims.rst",
            category="claims",
            labels={"what": "claims", "kind": "page"},
        ),
        quality=report(
            str(dag.root / "quality.html"),
            caption="../report/quality.rst",
            category="claims",
            labels={"what": "quality control", "kind": "page"},
        ),
        others=[str(dag.root / name) for name in ("claims.md", "claims.tex", "quality.md")],
        tables=dag.quality(),
    log:
        str(dag.root / "claims.log"),
    conda:
        "../../environment.yml"
    params:
        code=identity.claims_code(),
        studies=[str(dag.study_folder(study)) for study in dag.resolved.studies],
        out=subpath(output.csv, parent=True),
    shell:
        "wgpipe ledger --studies {params.studies} --settings {input.settings} --configs {input.configs:q}"
        " --out {params.out} &> {log}"


rule ranking:
    input:
        recipes=dag.all_recipes(),
        measures=dag.all_measured(),
    output:
        vectors=[dag.ranking(f"critical_difference.{kind}") for kind in ("pdf", "svg")],
        figure=report(
            dag.ranking("critical_difference.png"),
            caption="../report/ranking.rst",
            category="ranking",
            labels={"what": "critical difference", "kind": "figure"},
        ),
        ranks=report(
            dag.ranking("ranking.csv"),
            caption="../report/ranking_table.rst",
            category="ranking",
            labels={"what": "ranking", "kind": "table"},
        ),
        pairs=report(
            dag.ranking("pairwise.csv"),
            caption="../report/pairwise_table.rst",
            category="ranking",
            labels={"what": "pairs", "kind": "table"},
        ),
        others=[dag.ranking(name) for name in ("ranking.md", "ranking.tex", "cells.csv")],
    log:
        dag.ranking("ranking.log"),
    conda:
        "../../environment.yml"
    params:
        code=identity.ranking_code(),
        out=subpath(output.ranks, parent=True),
    shell:
        "wgpipe ranking --recipes {input.recipes} --measures {input.measures} --out {params.out} &> {log}"
