rule measure:
    input:
        recipe=dag.recipe_input,
        data=dag.dataset_file("data.npz"),
        card=dag.dataset_file("card.json"),
        metrics=dag.metrics_inputs,
        trained=dag.trained,
        features=dag.references_of_pair,
        weights=dag.weights_of_pair,
    output:
        table=dag.measures(".parquet"),
        record=dag.measures(".json"),
    log:
        dag.measures(".log"),
    group:
        cluster.group("measure")
    conda:
        "../../environment.yml"
    threads: cores
    resources:
        mem_mb=cluster.memory("measure"),
        runtime=cluster.minutes("measure"),
        cpus_per_task=settings.threads,
    params:
        code=dag.measuring,
        own=dag.own_files,
        data=subpath(input.data, parent=True),
        blocks=dag.block_folders,
        features=dag.features_option,
        threads=settings.threads,
    shell:
        "wgpipe measure --recipe {input.recipe} --data {params.data} --metrics {input.metrics}"
        " --blocks {params.blocks} --out {output.table} --threads {params.threads}"
        " {params.features} {params.own} &> {log}"


rule pictures:
    input:
        recipe=dag.recipe_input,
        data=dag.dataset_file("data.npz"),
        card=dag.dataset_file("card.json"),
        trained=dag.trained,
        features=dag.references_of_pair,
        weights=dag.weights_of_pair,
    output:
        pictures=dag.pictures(".npz"),
    log:
        dag.pictures(".log"),
    group:
        cluster.group("pictures")
    conda:
        "../../environment.yml"
    threads: cores
    resources:
        mem_mb=cluster.memory("pictures"),
        runtime=cluster.minutes("pictures"),
        cpus_per_task=settings.threads,
    params:
        code=identity.picture_code(),
        own=dag.own_files,
        data=subpath(input.data, parent=True),
        blocks=dag.block_folders,
        counts=dag.picture_options,
        features=dag.features_option,
        threads=settings.threads,
    shell:
        "wgpipe pictures --recipe {input.recipe} --data {params.data} --blocks {params.blocks} {params.counts}"
        " --out {output.pictures} --threads {params.threads} {params.features} {params.own} &> {log}"
