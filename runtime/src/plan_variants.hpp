#pragma once
/// A plan for a part of an input: the same weights, without the zero padding at one end or both.
///
/// The whole network is one window that moves over the tokens: column j sees tokens [j * stride - pad, + field). What a
/// column is depends on its tokens alone, unless its window leaves the input. So the columns of a long text may be made
/// in pieces, each from just the tokens that its columns see, if the pieces inside are computed without any padding:
///
///      zeros | text ..................................................... | pad tokens ... | zeros
///      [ front: padding on the left ][ middle: none ][ middle ] ... [ tail: padding on the right ]
///
/// A variant always pools averages, maxima and, where the model wants them, deviations, one after the other, so that
/// pieces can be put together (pooled_columns.hpp).

#include <cstdint>
#include <vector>

#include "bytecnn/model.hpp"

#include "plan.hpp"

namespace bytecnn {

class PlanVariants {
 public:
  /// `plan` must outlive this object.
  PlanVariants(const Architecture& architecture, const Plan& plan);

  /// False where some suffix of the layers moves further than it sees: then pieces would not need all tokens, and a
  /// piece's first token could lie behind its text. Nothing below may be used.
  [[nodiscard]] bool usable() const noexcept { return usable_; }

  [[nodiscard]] std::int64_t stride() const noexcept { return stride_; }
  [[nodiscard]] std::int64_t field() const noexcept { return field_; }
  /// First token that column `column` sees; negative where that is zero padding.
  [[nodiscard]] std::int64_t first_token(std::int64_t column) const noexcept { return column * stride_ - pad_; }
  /// Tokens that columns before `columns` see, counted from the input's first.
  [[nodiscard]] std::int64_t tokens_for(std::int64_t columns) const noexcept {
    return first_token(columns - 1) + field_;
  }
  /// Columns at the start that see zero padding.
  [[nodiscard]] std::int64_t left_columns() const noexcept { return (pad_ + stride_ - 1) / stride_; }
  /// Columns whose windows end within the first `tokens` tokens.
  [[nodiscard]] std::int64_t settled_columns(std::int64_t tokens) const noexcept {
    const std::int64_t room = tokens - field_ + pad_;
    return room < 0 ? 0 : room / stride_ + 1;
  }

  /// Columns [0, n) of an input from its tokens [0, tokens_for(n)).
  [[nodiscard]] const Plan& front() const noexcept { return front_; }
  /// Columns [b, e) from tokens [first_token(b), tokens_for(e)), which lie inside the text.
  [[nodiscard]] const Plan& middle() const noexcept { return middle_; }
  /// All columns from `column` on, from the text behind first_token(column); pad tokens follow where the model pads.
  [[nodiscard]] Plan tail(std::int64_t column) const noexcept;

 private:
  bool usable_ = true;
  std::int64_t stride_, field_, pad_;
  std::vector<ConvStage> front_convs_, middle_convs_, tail_convs_;
  Plan front_, middle_, tail_;
};

}  // namespace bytecnn
