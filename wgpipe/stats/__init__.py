"""From a tidy table of runs to intervals, rates and verdicts. Seeds are replicates, and a seed is a cluster."""
