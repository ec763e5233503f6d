#pragma once
/// How far a structure's numbers are from the recorded ones.

#include <cstddef>
#include <vector>

#include "search/structure_search.hpp"

namespace bytecnn::exporter {

class RecordMatch {
 public:
  /// Puts the most telling record first. Throws `Error` (invalid) where a record has another number of outputs than the
  /// model, or a number that is not finite.
  RecordMatch(const RecordedReference& reference, std::uint32_t outputs);

  [[nodiscard]] std::size_t size() const { return records_.size(); }
  [[nodiscard]] const Golden& first() const { return records_.front(); }
  [[nodiscard]] const std::vector<Golden>& records() const { return records_; }
  /// Where the record stood in the file.
  [[nodiscard]] std::size_t place(std::size_t record) const { return places_[record]; }
  /// What the numbers may be: logits, and where they look like it, scores.
  [[nodiscard]] const std::vector<Recorded>& readings() const { return readings_; }
  [[nodiscard]] double scale() const { return scale_; }
  [[nodiscard]] double tolerance() const { return (is_double_ ? 1e-5 : 1e-4) * scale_; }
  /// Errors below this are the arithmetic's own.
  [[nodiscard]] double rounding() const { return (is_double_ ? 1e-11 : 1e-6) * scale_; }
  [[nodiscard]] bool is_double() const { return is_double_; }

  /// Largest |difference| in one record; infinite where `logits` are not numbers.
  [[nodiscard]] double error(std::size_t record, Recorded recorded, const std::vector<double>& logits) const;
  /// Sets `worst` and `worst_record` of `structure` over all records. With `give_up`, false as soon as one is beyond
  /// the tolerance; a record that the structure refuses as too short is infinitely far.
  bool complete(const Original& original, Structure& structure, bool give_up) const;

 private:
  std::vector<Golden> records_;
  std::vector<std::size_t> places_;
  std::vector<Recorded> readings_{Recorded::logits};
  double scale_ = 1;
  bool is_double_;
};

}  // namespace bytecnn::exporter
