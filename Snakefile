from snakemake.utils import min_version

min_version("9.19")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/images.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/studies.smk"
include: "workflow/rules/audit.smk"


rule all:
    default_target: True
    input:
        dag.all_results(),
        rules.manifest.output,


# All but summaries. In parts, where the plan of a very large grid would be too much: --batch measured=1/10
rule measured:
    input:
        dag.all_measured(),
