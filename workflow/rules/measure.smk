rule measure:
    input:
        recipe=dag.recipe_input,
        data=dag.dataset_file("data.npz"),
        card=dag.dataset_file("card.json"),
        metrics=dag.metrics_inputs,
        trained=dag.trained,
    output:
        table=dag.measures(".parquet"),
        record=dag.measures(".json"),
    log:
        dag.measures(".log"),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=dag.measuring_memory,
        runtime=dag.measuring_minutes,
    params:
        code=dag.measuring,
        own=dag.own_files,
        data=subpath(input.data, parent=True),
        blocks=dag.block_folders,
        threads=settings.threads,
    shell:
        "wgpipe measure --recipe {input.recipe} --data {params.data} --metrics {input.metrics}"
        " --blocks {params.blocks} --out {output.table} --threads {params.threads} {params.own} &> {log}"
