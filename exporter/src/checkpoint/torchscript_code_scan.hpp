#pragma once
/// A look at a TorchScript archive's code before libtorch gets the file: `torch::jit::load` runs code of the file
/// (`__setstate__`), and its operators can write files.

#include "checkpoint/checkpoint.hpp"

namespace bytecnn::exporter {

/// Throws `Error` (unsupported) at "code/....py: line N" that names the first thing that is not on the allow-list:
/// an operator, a builtin, a custom operator or class, a special method, a construct PyTorch's printer does not write.
/// Throws `Error` (invalid) where the archive has no code at all.
///
/// What passes can compute with tensors and numbers, raise errors and warn; it cannot reach anything outside. How long
/// and how large it computes is not decided here: describing the graph refuses what is not a byte CNN.
void scan_torchscript_code(const Checkpoint& checkpoint);

}  // namespace bytecnn::exporter
