"""What jaxsr is compared with: networks in plain PyTorch operations on a state dict, and, for
`benchmarks.data`, data sets and a degradation (`photos`, `imresize`, `realesrgan`).

A network is `network(state, x, model)`: `state` the tensors under the first toolbox's names in
`jaxsr.interop.layouts`, `x` the LR image [N, C, H, W] in [0, 1], `model` the jaxsr module, for its
hyper-parameters alone. Written from the papers and the toolboxes' documentation, not from the
JAX code.
"""
