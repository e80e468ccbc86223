rule train:
    input:
        recipe=dag.recipe_input,
        data=dag.dataset_file("data.npz"),
        card=dag.dataset_file("card.json"),
        base=dag.base,
    output:
        bundle=dag.bundle("bundle.json"),
    log:
        dag.bundle("train.log"),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=dag.training_memory,
        runtime=dag.training_minutes,
    params:
        code=dag.training,
        own=dag.own_files,
        base=dag.base_option,
        n=dag.sizes,
        data=subpath(input.data, parent=True),
        out=subpath(output.bundle, parent=True),
        threads=settings.threads,
        device=settings.device,
    shell:
        "wgpipe train --recipe {input.recipe} --data {params.data} --n {params.n} --seeds {wildcards.seeds}"
        " --out {params.out} --threads {params.threads} --device {params.device} {params.base}"
        " {params.own} &> {log}"
