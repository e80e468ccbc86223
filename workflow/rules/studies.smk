for study in dag.resolved.studies:

    rule:
        name:
            f"study_{study}"
        input:
            study=str(dag.study_file(study)),
            measures=dag.measured(study),
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
            claims=str(dag.study_folder(study) / "claims.csv"),
            record=str(dag.study_record(study)),
        log:
            str(dag.study_folder(study) / "study.log"),
        conda:
            "../../environment.yml"
        params:
            code=identity.study_code(study),
            out=subpath(output.claims, parent=True),
            missing="--allow-missing" if settings.allow_missing else "",
        shell:
            "wgpipe study --study {input.study} --measures {input.measures} --out {params.out} {params.missing}"
            " &> {log}"


rule claims:
    input:
        dag.claims_inputs(),
    output:
        csv=report(
            str(dag.root / "claims.csv"),
            caption="../report/claims.rst",
            category="claims",
            labels={"what": "claims", "kind": "table"},
        ),
        page=str(dag.root / "claims.md"),
    log:
        str(dag.root / "claims.log"),
    conda:
        "../../environment.yml"
    params:
        code=identity.claims_code(),
        studies=[str(dag.study_folder(study)) for study in dag.resolved.studies],
        out=subpath(output.csv, parent=True),
    shell:
        "wgpipe claims --studies {params.studies} --out {params.out} &> {log}"
