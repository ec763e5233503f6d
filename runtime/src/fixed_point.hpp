#pragma once
/// One-layer models in fixed point (`Arithmetic::int32`, `Arithmetic::int16`).
///
/// Every filter has a scale of its own, as large as its table allows. With P the largest sum of a window, P+ the sum of
/// the largest positive entries of its taps and N+ that of the largest negative ones, in units of the scale:
///
///             window (P)   partial sums (P+, N+)   windows summed before the sum is split
///     int32   < 2^25       < 2^29                  64: below 2^31
///     int16   <= 4095      <= 16000                16: below 2^16
///
/// so that no sum overflows, whatever the text is. Whole numbers do not depend on the order of additions: the pooled
/// sums and maxima are the same on every instruction set. Features follow from them in double. With int32 so does the
/// head, each unit's products added one after the other: a product of two floats is exact in double, so that it makes
/// no difference whether a processor fuses multiplication and addition. With int16 the head runs in float as ever.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include "bytecnn/arithmetic.hpp"
#include "bytecnn/model.hpp"

#include "kernels/kernel_table.hpp"
#include "plan.hpp"

namespace bytecnn {

class FixedPoint {
 public:
  /// `plan` is the model's plan in float for the same kernels, which must outlive this object. Throws `Error`
  /// (`unsupported`) where the model is not one conv layer with relu whose columns are pooled in registers, or is too
  /// long for the sums.
  FixedPoint(const Model& model, const Plan& plan, const kernels::KernelTable& kernels, Arithmetic arithmetic);

  /// As `RunFunction`; `working` holds `working_floats()` floats, aligned to 64 bytes. Allocates nothing.
  void run(std::span<const std::byte> input, float* working, float* logits, float* scores) const noexcept;

  [[nodiscard]] std::size_t working_floats() const noexcept { return working_floats_; }
  [[nodiscard]] Arithmetic arithmetic() const noexcept { return arithmetic_; }
  /// The largest difference of a logit from the reference's, divided by S = max(1, largest |logit|), over a sample of
  /// texts, random and constant bytes. Measured when the object is made.
  [[nodiscard]] double measured_error() const noexcept { return measured_error_; }
  /// What rounding the table to whole numbers can move a logit by, for any input: every filter's columns by no more
  /// than its taps' largest roundings together, carried through the head. Float's own rounding comes on top.
  [[nodiscard]] double error_bound() const noexcept { return error_bound_; }

  /// Whether a loop was written out for the layer's windows, rather than the slower one for any window.
  [[nodiscard]] bool has_loop_of_its_own() const noexcept { return plan_.table.block_kernel != 0; }

 private:
  struct AlignedDelete {
    void operator()(float* memory) const noexcept { ::operator delete[](memory, std::align_val_t{64}); }
  };

  struct Channel {
    double step = 1;              ///< value of one unit
    double radius = 0;            ///< how far the table's rounding can move a column
    std::int64_t constant = 0;    ///< the column that sees padding alone, in units
    std::int64_t border_sum = 0;  ///< of the columns behind it
    std::int64_t largest = 0;     ///< of the constant and those
  };

  /// Units rounded up to whole blocks, whose sums stay in registers.
  struct ExactLayer {
    static constexpr std::size_t block = 8;
    std::size_t inputs = 0, units = 0;
    std::vector<double> weight;  ///< [blocks][inputs][block]
    std::vector<double> bias;    ///< [blocks * block]
    Activation activation;
  };

  float* allocate(std::size_t floats);
  template <class Number>
  void build(const Model& model);
  /// `rows` is [vocab_size + 2][kernel_size][filters].
  template <class Number>
  void pool_padding(const Architecture& architecture, const std::vector<Number>& rows);
  void build_head(const Model& model);
  [[nodiscard]] double measure(const Model& model) const;

  [[nodiscard]] std::size_t feature_count() const noexcept;
  /// In double, from the kernels' whole numbers.
  void features(const float* whole, double* out) const noexcept;
  void exact_head(double* input, double* output, float* logits, float* scores) const noexcept;

  Arithmetic arithmetic_;
  const kernels::KernelTable& kernels_;
  Plan plan_;
  std::vector<TableBlock> blocks_;
  std::vector<std::unique_ptr<float[], AlignedDelete>> memory_;
  std::vector<Channel> channels_;
  std::vector<ExactLayer> layers_;  ///< the dense layers and the output layer
  std::size_t exact_offset_ = 0;    ///< of two arrays of `exact_width_` doubles, in floats
  std::size_t exact_width_ = 0;
  std::size_t working_floats_ = 0;
  double measured_error_ = 0;
  double error_bound_ = 0;
};

}  // namespace bytecnn
