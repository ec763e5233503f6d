#pragma once
/// Finds out which structures give the logits that a user recorded from Python. A state dict fits many structures; its
/// original's numbers fit one.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "search/search_space.hpp"

namespace bytecnn::exporter {

/// What a recording holds: logits as it should, or what a model with its last step inside gives.
enum class Recorded : std::uint8_t { logits, sigmoid, softmax, log_softmax };
[[nodiscard]] std::string_view to_string(Recorded recorded) noexcept;

struct SearchProgress {
  double seconds = 0;
  std::uint64_t tried = 0;
  std::size_t fits = 0;
};

struct SearchOptions {
  double seconds = 60;  ///< limit on the whole search; it ends sooner where everything has been tried
  /// How long rivals of what fits are looked for, at least, and how long among its likes.
  double rival_seconds = 2;
  unsigned threads = 0;                                 ///< 0: one a core
  std::function<void(const SearchProgress&)> progress;  ///< called from the searching thread's caller now and then
};

struct Structure {
  Architecture architecture;
  Recorded recorded = Recorded::logits;
  unsigned price = 0;            ///< how unusual it is
  double worst = 0;              ///< largest |difference| from the recorded numbers
  std::size_t worst_record = 0;  ///< where that was
};

/// An input on which two structures give different numbers.
struct TellingInput {
  std::size_t first = 0, second = 0;  ///< indices into SearchResult::fits
  std::vector<std::byte> input;
  std::string description;  ///< "an empty input"
  /// Logits of both; empty where that structure refuses the input as too short.
  std::vector<double> first_logits, second_logits;
};

/// Structures that compute the same on every input that was tried, the recorded ones and others; the most usual first.
using StructureClass = std::vector<Structure>;

struct SearchResult {
  std::vector<StructureClass> fits;    ///< as good as the best, the best first
  std::vector<Structure> close;        ///< within the tolerance, but the recording tells them from the best
  std::vector<Structure> nearest;      ///< where nothing fits
  std::vector<TellingInput> telling;   ///< between `fits[0]` and each of the others, where one was found
  std::vector<std::string> open_keys;  ///< what was searched for
  std::uint64_t tried = 0;
  double possible = 0;     ///< structures in the space
  bool exhausted = false;  ///< all of them were tried
  /// Nothing was cut or padded, so the recording says nothing about max_len.
  bool max_len_unseen = false;
  bool timed_out = false;
  double seconds = 0;
  double scale = 1;      ///< S = max(1, largest recorded |number|)
  double tolerance = 0;  ///< on numbers, already times S
  std::size_t records = 0;
  bool is_double = true;
};

/// Tries structures in the order of their price until all were tried, the time is up, or (a while after something
/// fitted) nothing else is in sight; then every structure that differs from what fits in one or two properties. Runs
/// the unfolded weights in double, on all cores. Throws `Error`: invalid (the recording has another number of outputs
/// or contradicts what is stated), limit (too much memory for one run).
[[nodiscard]] SearchResult search_structures(const Original& original, const RecordedReference& reference,
                                             const std::vector<std::pair<std::string, std::string>>& hints,
                                             const SearchOptions& options);

/// Takes the first of `result.fits` over: its architecture, and "reference" as the source of every key that the
/// recording settled.
void adopt(const SearchResult& result, Original& original);

}  // namespace bytecnn::exporter
