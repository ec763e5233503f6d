#pragma once
/// Checkpoints made in code, with numbers that differ from tensor to tensor and never depend on anything else.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bytecnn/architecture_statement.hpp"
#include "bytecnn/error.hpp"
#include "bytecnn/model.hpp"

#include "checkpoint/checkpoint.hpp"
#include "recognise.hpp"

namespace bytecnn::exporter::testing {

using Shape = std::vector<std::int64_t>;

class CheckpointBuilder {
 public:
  CheckpointBuilder() {
    checkpoint_.container = "zip";
    checkpoint_.form = "state_dict";
  }

  /// A float32 tensor with numbers out of (-1, 1); out of (0.5, 1.5) where the name ends in "running_var".
  CheckpointBuilder& add(const std::string& name, const Shape& shape);
  CheckpointBuilder& add(const std::string& name, const Shape& shape, const std::vector<float>& values);
  CheckpointBuilder& add_raw(const std::string& name, const Shape& shape, DType dtype);
  CheckpointBuilder& unreadable(const std::string& name, const std::string& why);

  CheckpointBuilder& embedding(const std::string& path, std::int64_t vocab, std::int64_t dim);
  CheckpointBuilder& conv(const std::string& path, std::int64_t filters, std::int64_t inputs, std::int64_t kernel,
                          bool bias = true);
  CheckpointBuilder& batch_norm(const std::string& path, std::int64_t channels, bool affine = true);
  CheckpointBuilder& dense(const std::string& path, std::int64_t units, std::int64_t inputs);
  CheckpointBuilder& module(const std::string& path, const std::string& class_name,
                            std::vector<std::pair<std::string, std::string>> attributes = {});
  CheckpointBuilder& remove(const std::string& name);
  CheckpointBuilder& container(const std::string& name);

  [[nodiscard]] Checkpoint& checkpoint() { return checkpoint_; }
  /// `recognise` with a statement in JSON.
  [[nodiscard]] Original recognise(std::string_view statement = "{}", const RecognitionFlags& flags = {});
  /// The error that `recognise` throws; fails the test where it throws none.
  [[nodiscard]] Error refusal(std::string_view statement = "{}", const RecognitionFlags& flags = {});

  std::vector<std::string> warnings;  ///< of the last `recognise`

 private:
  Checkpoint checkpoint_;
};

/// embedding [256, 6], conv1 8 x k3, bn1, conv2 10 x k3, bn2, classifier 7, output 1: the names of the reference
/// models.
[[nodiscard]] CheckpointBuilder two_layers();

/// A folded model with random weights for `architecture`.
[[nodiscard]] Model random_model(const Architecture& architecture, std::uint32_t seed);

}  // namespace bytecnn::exporter::testing
