"""wgpipe: what the theory of (Wasserstein) GANs is worth in practice."""

__version__ = "0.1.0"
