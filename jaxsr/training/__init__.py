"""Training: typed configs, state, the supervised step, the loop, checkpoints."""
