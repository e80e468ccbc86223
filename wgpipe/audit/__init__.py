"""Where a number comes from: fingerprints of code, and later manifests, re-runs and bundles of results."""
