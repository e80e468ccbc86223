"""How fast wgpipe is, side by side with what a user would pick instead. Run from the repository's root."""
