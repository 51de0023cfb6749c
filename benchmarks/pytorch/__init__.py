"""The networks in plain PyTorch operations on a state dict: what jaxsr is compared with.

Each is `network(state, x, model)`: `state` the tensors under the first toolbox's names in
`jaxsr.interop.layouts`, `x` the LR image [N, C, H, W] in [0, 1], `model` the jaxsr module, for its
hyper-parameters alone. Written from the papers and the toolboxes' documentation, not from the
JAX code.
"""
