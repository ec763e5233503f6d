#include "verify/recorded_cases.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace bytecnn::exporter {
namespace {

std::string shown(double number) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.2g", number);
  return buffer.data();
}

class Cases {
 public:
  Cases(const std::vector<NamedInput>& inputs, const std::vector<std::optional<std::vector<double>>>& logits)
      : inputs_(inputs), logits_(logits) {}

  void add(std::size_t input, std::string reason) {
    if (input >= inputs_.size() || inputs_[input].bytes.size() > largest_recorded_input) return;
    auto known = std::find_if(cases_.begin(), cases_.end(), [&](const auto& found) { return found.input == input; });
    if (known == cases_.end()) {
      cases_.push_back({{}, input, inputs_[input].bytes, logits_[input].value_or(std::vector<double>{})});
      known = cases_.end() - 1;
    }
    known->reasons.push_back(std::move(reason));
  }
  [[nodiscard]] bool empty() const { return cases_.empty(); }
  std::vector<RecordedCase> take() { return std::move(cases_); }

 private:
  const std::vector<NamedInput>& inputs_;
  const std::vector<std::optional<std::vector<double>>>& logits_;
  std::vector<RecordedCase> cases_;
};

}  // namespace

std::vector<RecordedCase> recorded_cases(const VerifyReport& report, const std::vector<NamedInput>& inputs,
                                         const std::vector<std::optional<std::vector<double>>>& logits) {
  Cases cases(inputs, logits);
  for (const StageReport& stage : report.stages) {
    // The inputs of these two are no inputs of this list.
    if (stage.name == "weights" || stage.name == "reference") continue;
    for (const WorstInput& worst : stage.worst_inputs) {
      cases.add(worst.input, stage.name + ": differs by " + shown(worst.difference));
    }
    for (const std::size_t input : stage.flipped) cases.add(input, stage.name + ": another label");
    if (stage.refused_by_one != 0) cases.add(stage.first_refused, stage.name + ": refused by one side alone");
  }
  cases.add(report.smallest_margin_input, "smallest margin, " + shown(report.smallest_margin));
  cases.add(report.float32_error_input, "the original's float32 is off by " + shown(report.float32_error));
  // Where all of those are too large, the first that fit are better than nothing to run again.
  for (std::size_t i = 0; cases.empty() && i < inputs.size(); ++i) cases.add(i, "small enough to be kept");
  return cases.take();
}

}  // namespace bytecnn::exporter
