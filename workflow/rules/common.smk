from snakemake.exceptions import WorkflowError

from wgpipe import identity, slurm
from wgpipe.cluster import Cluster
from wgpipe.dag import Dag
from wgpipe.errors import UserError

try:
    dag = Dag.open(workflow.configfiles, config, workflow.is_main_process)
except UserError as error:
    raise WorkflowError(str(error)) from None
if workflow.is_main_process:
    slurm.mend()
else:
    slurm.keep_going()

settings = dag.resolved.config
cluster = Cluster(
    dag,
    components=lambda: getattr(workflow.group_settings, "group_components", {}),
    parts=lambda: getattr(workflow.dag_settings.batch, "batches", 1),
)
# Jobs of one submission run one after another: inside it, each takes all cores that Snakemake sees there.
cores = 1 if workflow.is_main_process else workflow.cores


wildcard_constraints:
    dataset="[^/]+",
    recipe="[^/]+",
    network="[^/]+",
    seeds=r"\d+-\d+",


localrules:
    all,
    measured,
    fetch,
    claims,
    ranking,
    manifest,
