rule classifier:
    input:
        data=dag.dataset_file("data.npz"),
        card=dag.dataset_file("card.json"),
    output:
        weights=dag.features_file("classifier", "weights.safetensors"),
        record=dag.features_file("classifier", "weights.json"),
    log:
        dag.features_file("classifier", "training.log"),
    conda:
        "../../environment.yml"
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
    conda:
        "../../environment.yml"
    resources:
        runtime=dag.featuring_minutes,
    params:
        code=dag.featuring,
        own=dag.own_files,
        extractor=dag.extractor,
        images=dag.reference_count,
        data=subpath(input.data, parent=True),
        features=subpath(output.features, ancestor=2),
        threads=settings.threads,
    shell:
        "wgpipe features --data {params.data} --extractor {params.extractor} --count {params.images}"
        " --features {params.features} --downloads results/downloads --threads {params.threads} {params.own} &> {log}"
