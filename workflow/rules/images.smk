rule classifier:
    input:
        data=dag.dataset_file("data.npz"),
        card=dag.dataset_file("card.json"),
    output:
        weights=dag.features_file("classifier", "weights.safetensors"),
        record=dag.features_file("classifier", "weights.json"),
    log:
        dag.features_file("classifier", "training.log"),
    group:
        cluster.group("classifier")
    conda:
        "../../environment.yml"
    threads: cores
    resources:
        mem_mb=cluster.memory("classifier"),
        runtime=cluster.minutes("classifier"),
        cpus_per_task=settings.threads,
    params:
        code=identity.classifier_code(),
        own=dag.own_files,
        data=subpath(input.data, parent=True),
        out=subpath(output.weights, parent=True),
        threads=settings.threads,
    shell:
        "wgpipe classifier --data {params.data} --out {params.out} --threads {params.threads} {params.own} &> {log}"


rule features:
    input:
        data=dag.dataset_file("data.npz"),
        card=dag.dataset_file("card.json"),
        weights=dag.network_weights,
    output:
        features=dag.features_file("{network}", "features.safetensors"),
        record=dag.features_file("{network}", "features.json"),
    log:
        dag.features_file("{network}", "features.log"),
    group:
        cluster.group("features")
    conda:
        "../../environment.yml"
    threads: cores
    resources:
        mem_mb=cluster.memory("features"),
        runtime=cluster.minutes("features"),
        cpus_per_task=settings.threads,
    params:
        code=dag.featuring,
        own=dag.own_files,
        extractor=dag.extractor,
        images=dag.reference_count,
        data=subpath(input.data, parent=True),
        features=subpath(output.features, ancestor=2),
        threads=settings.threads,
        device=dag.looking_device,
    shell:
        "wgpipe features --data {params.data} --extractor {params.extractor} --count {params.images}"
        " --features {params.features} --downloads results/downloads --threads {params.threads}"
        " --device {params.device} {params.own} &> {log}"
