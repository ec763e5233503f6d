#pragma once
/// Model -> Plan: folding, packing, and the sizes of all buffers. Each topic has a source of its own: plan_table.cpp,
/// plan_convs.cpp, plan_winograd.cpp, plan_pad_run.cpp, plan_head.cpp; plan_description.cpp says what was chosen.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "bytecnn/model.hpp"

#include "plan.hpp"

namespace bytecnn {

[[nodiscard]] constexpr std::size_t round_up(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// A plan together with the memory it points into. Movable; the plan stays where it is in memory.
class PlannedModel {
 public:
  /// Packs a valid model for vectors of `lanes` floats and `registers` vector registers. Without `winograd` no
  /// convolution trades rounding error for speed.
  PlannedModel(const Model& model, std::uint32_t lanes, std::uint32_t registers, bool winograd);

  [[nodiscard]] bool uses_winograd() const noexcept { return !winograd_.empty(); }

  [[nodiscard]] const Plan& plan() const noexcept { return plan_; }
  /// One line a stage: what was chosen and why.
  [[nodiscard]] std::string description() const;

 private:
  struct AlignedDelete {
    void operator()(float* memory) const noexcept { ::operator delete[](memory, std::align_val_t{64}); }
  };

  /// Zeroed, aligned to 64 bytes, alive as long as this object.
  float* allocate(std::size_t floats);
  [[nodiscard]] std::uint32_t vectors_for(std::size_t channels) const;

  void build_table(const Model& model);
  void pack_table_rows(const std::vector<float>& table, std::size_t filters);
  void pack_table_blocks(const std::vector<float>& table, std::size_t filters);
  void build_embedding(const Model& model);
  void build_conv(const Model& model, std::size_t layer, std::uint32_t input_floats);
  [[nodiscard]] static bool suits_winograd(const ConvStage& stage);
  void build_winograd(ConvStage& stage, const std::vector<float>& weight);
  void build_direct_weights(ConvStage& stage, const std::vector<float>& weight, const std::vector<float>& bias);
  void build_depthwise_weights(ConvStage& stage, const std::vector<float>& weight, const std::vector<float>& bias);
  void build_epilogue(const ConvLayer& layer, const ConvWeights& weights, std::size_t width, Epilogue& epilogue);
  void build_pool(const Model& model, std::uint32_t vectors);
  void build_pad_run(const Model& model);
  void build_head(const Model& model);
  void lay_out_working_memory();

  std::uint32_t lanes_;
  std::uint32_t registers_;
  bool allow_winograd_;
  Plan plan_;
  std::vector<TableBlock> table_blocks_;
  std::vector<ConvStage> convs_;
  std::vector<std::unique_ptr<WinogradStage>> winograd_;
  std::vector<std::vector<const float*>> winograd_weights_;
  std::vector<DenseStage> dense_;
  std::vector<std::unique_ptr<float[], AlignedDelete>> memory_;
};

}  // namespace bytecnn
