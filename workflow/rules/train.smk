rule train:
    input:
        recipe=dag.recipe_input,
        data=dag.dataset_file("data.npz"),
        card=dag.dataset_file("card.json"),
    output:
        generator=dag.block("generator.safetensors"),
        critic=dag.block("critic.safetensors"),
        history=dag.block("history.parquet"),
        run=dag.block("run.json"),
    log:
        dag.block("train.log"),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=dag.training_memory,
        runtime=dag.training_minutes,
    params:
        code=dag.training,
        own=dag.own_files,
        data=subpath(input.data, parent=True),
        out=subpath(output.run, parent=True),
        threads=settings.threads,
        device=settings.device,
    shell:
        "wgpipe train --recipe {input.recipe} --data {params.data} --n {wildcards.n} --seeds {wildcards.seeds}"
        " --out {params.out} --threads {params.threads} --device {params.device} {params.own} &> {log}"
