#pragma once
/// Model -> Plan: folding, packing, and the sizes of all buffers. Each topic has a source of its own: plan_table.cpp,
/// plan_convs.cpp, plan_winograd.cpp, plan_trigrams.cpp, plan_pad_run.cpp, plan_head.cpp; plan_description.cpp says
/// what was chosen.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bytecnn/classifier.hpp"
#include "bytecnn/model.hpp"

#include "conv_method.hpp"
#include "lanewise_layout.hpp"
#include "plan.hpp"

namespace bytecnn {

[[nodiscard]] constexpr std::size_t round_up(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// How many entries a bulk call's table holds; 0 where an entry is so long that the table would not pay.
[[nodiscard]] std::size_t bulk_table_entries(const TrigramStage& stage);

/// A plan together with the memory it points into. Movable; the plan stays where it is in memory.
class PlannedModel {
 public:
  /// Packs a valid model for vectors of `lanes` floats and `registers` vector registers. `limits` says for each conv
  /// layer how far it may go in trading rounding error for speed.
  PlannedModel(const Model& model, std::uint32_t lanes, std::uint32_t registers, std::span<const WinogradLimit> limits);

  /// Whether conv layer `layer` runs by Winograd's algorithm.
  [[nodiscard]] bool uses_winograd(std::size_t layer) const noexcept;
  /// How conv layer `layer` is computed, in a few words.
  [[nodiscard]] std::string method(std::size_t layer) const;

  [[nodiscard]] const Plan& plan() const noexcept { return plan_; }
  /// The plan of bulk calls; null where they run as single calls do. Its `trigram_table` is for the caller to set.
  [[nodiscard]] const Plan* bulk_plan() const noexcept { return bulk_plan_ ? &*bulk_plan_ : nullptr; }
  /// How each conv layer is computed.
  [[nodiscard]] std::vector<ConvMethod> conv_methods() const;
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
  void pack_table_rows(const Model& model);
  void pack_table_blocks(std::vector<float> table, std::size_t filters);
  void build_embedding(const Model& model);
  void build_conv(const Model& model, std::size_t layer, std::uint32_t input_floats, WinogradLimit limit);
  void build_direct(ConvStage& stage, const std::vector<float>& weight, const std::vector<float>& bias);
  void build_winograd(ConvStage& stage, const std::vector<float>& weight, const std::vector<float>& bias,
                      std::uint32_t longest_chain);
  void build_lanewise(ConvStage& stage, const LanewiseLayout& layout, const std::vector<float>& weight,
                      const std::vector<float>& bias);
  /// Memory that a tile goes through: input, transformed input, sums.
  [[nodiscard]] std::size_t tile_bytes(const ConvStage& stage) const;
  void cut_into_blocks(ProductStage& products, std::size_t sums, bool pairs) const;
  /// Which step of a sum, counted in the order of its chains, comes first, second, ... in offsets and weights.
  [[nodiscard]] std::vector<std::uint32_t> step_order(const ProductStage& products, bool pairs) const;
  /// Weights of `groups` products one after the other, or of `parts` block by block: `value(group or part, step, lane)`
  /// in the order of ProductStage.
  template <class Value>
  const float* pack_weights(const ProductStage& products, std::size_t groups, std::size_t parts, Value value);
  const std::uint32_t* keep_offsets(std::vector<std::uint32_t> offsets);
  void build_epilogue(const ConvLayer& layer, const ConvWeights& weights, std::size_t width, Epilogue& epilogue);
  [[nodiscard]] bool suits_trigrams(const Model& model);
  void build_trigrams(const Model& model);
  /// After all else.
  void build_bulk_plan();
  void build_pool(const Model& model, std::uint32_t vectors);
  void build_pad_run(const Model& model);
  void build_head(const Model& model);
  void lay_out_working_memory();

  std::uint32_t lanes_;
  std::uint32_t registers_;
  Plan plan_;
  std::vector<TableBlock> table_blocks_;
  std::size_t first_layer_ = 1;  ///< number, from 1, of the conv layer that convs_[0] computes
  std::vector<ConvStage> convs_;
  std::vector<std::vector<std::uint32_t>> offsets_;
  std::vector<std::vector<LaneSource>> lane_sources_;
  std::unique_ptr<TrigramStage> trigrams_;
  std::optional<Plan> bulk_plan_;
  std::vector<DenseStage> dense_;
  std::vector<std::unique_ptr<float[], AlignedDelete>> memory_;
};

}  // namespace bytecnn
