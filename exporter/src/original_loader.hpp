#pragma once
/// From a checkpoint file to the model as it was trained, whatever the form of the file: what `bytecnn export` and
/// `bytecnn verify` both begin with.

#include <memory>
#include <string>
#include <vector>

#include "bytecnn/architecture_statement.hpp"

#include "checkpoint/checkpoint.hpp"
#include "original.hpp"
#include "recognise.hpp"
#include "torch/torch_backend.hpp"

namespace bytecnn::exporter {

struct LoadedOriginal {
  Original original;
  std::string path;
  bool torchscript = false;
  std::string container;                                   ///< "zip", "legacy", "safetensors", "torchscript"
  std::string form;                                        ///< "state_dict", "whole_model", ...
  std::string key;                                         ///< where the state dict was found inside the file
  std::string prefix;                                      ///< common prefix of the tensors' names
  std::vector<std::pair<std::string, std::string>> hints;  ///< scalars beside the weights, shown and not used
  std::vector<std::string> warnings;
};

/// Reads and recognises a checkpoint. TorchScript files go to libtorch for their structure, after a scan of their code;
/// no other form loads libtorch. Throws `Error`; its place begins with `path`.
[[nodiscard]] LoadedOriginal load_original(const std::string& path, const std::string& key,
                                           const ArchitectureStatement& statement, const RecognitionFlags& flags);

/// The original, runnable in libtorch: TorchScript as it is, everything else rebuilt unfolded.
[[nodiscard]] std::unique_ptr<OriginalRunner> make_runner(const LoadedOriginal& loaded);

/// Reads an architecture statement from a file; errors name the file.
[[nodiscard]] ArchitectureStatement load_architecture_statement(const std::string& path);

}  // namespace bytecnn::exporter
