from snakemake.exceptions import WorkflowError

from wgpipe import identity
from wgpipe.dag import Dag
from wgpipe.errors import UserError

try:
    dag = Dag.open(workflow.configfiles, config, workflow.is_main_process)
except UserError as error:
    raise WorkflowError(str(error)) from None

settings = dag.resolved.config


wildcard_constraints:
    dataset="[^/]+",
    recipe="[^/]+",
    network="[^/]+",
    seeds=r"\d+-\d+",


localrules:
    all,
    fetch,
    prepare,
    claims,
    ranking,
    manifest,
