rule manifest:
    input:
        dag.all_results(),
    output:
        manifest=str(dag.root / "manifest.json"),
    log:
        str(dag.root / "manifest.log"),
    conda:
        "../../environment.yml"
    params:
        code=identity.manifest_code(),
        results=subpath(output.manifest, parent=True),
    shell:
        "wgpipe audit manifest {params.results} &> {log}"
