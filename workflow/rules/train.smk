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
    group:
        cluster.group("train")
    conda:
        "../../environment.yml"
    threads: cores
    resources:
        mem_mb=cluster.memory("train"),
        runtime=cluster.minutes("train"),
        cpus_per_task=settings.threads,
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


ruleorder: train_gpu > train


use rule train as train_gpu with:
    wildcard_constraints:
        recipe=cluster.gpu_recipes(),
    resources:
        mem_mb=cluster.memory("train"),
        runtime=cluster.minutes("train"),
        cpus_per_task=settings.threads,
        gpu=1,
