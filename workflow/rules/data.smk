rule fetch:
    output:
        "results/downloads/{file}",
    log:
        "results/downloads/logs/{file}.log",
    wildcard_constraints:
        file="[^/]+",
    retries: 2
    conda:
        "../../environment.yml"
    params:
        owner=dag.source_owner,
    shell:
        "wgpipe fetch {params.owner} --file {wildcards.file} --out results/downloads 2> {log}"


rule prepare:
    input:
        dag.sources,
    output:
        data=dag.dataset_file("data.npz"),
        card=dag.dataset_file("card.json"),
    log:
        dag.dataset_file("prepare.log"),
    group:
        cluster.group("prepare")
    conda:
        "../../environment.yml"
    threads: cores
    resources:
        mem_mb=cluster.memory("prepare"),
        runtime=cluster.minutes("prepare"),
        cpus_per_task=settings.threads,
    params:
        code=dag.preparing,
        own=dag.own_files,
        out=subpath(output.data, parent=True),
    shell:
        "wgpipe prepare {wildcards.dataset} --downloads results/downloads --out {params.out} {params.own} &> {log}"
