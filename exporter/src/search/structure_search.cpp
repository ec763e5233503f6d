#include "search/structure_search.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

#include "bytecnn/error.hpp"

#include "search/neighbours.hpp"
#include "search/record_match.hpp"
#include "search/structure_classes.hpp"
#include "search/structure_walk.hpp"

namespace bytecnn::exporter {
namespace {

using Clock = std::chrono::steady_clock;

Clock::duration in_ticks(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

/// A walk holds the columns of every level of its tree.
void check_memory(const Original& original, const SearchSpace& space, unsigned threads) {
  std::uint64_t longest = 0;
  for (const auto& form : space.inputs) longest = std::max<std::uint64_t>(longest, form.value.max_len);
  std::uint64_t channels = original.architecture.embed_dim;
  for (const ConvLayer& layer : original.architecture.conv_layers) channels += 4ULL * layer.filters;
  constexpr std::uint64_t most = 4ULL << 30U;
  const std::uint64_t needed = longest * channels * sizeof(double) * threads;
  if (needed > most) {
    throw Error(ErrorCode::limit, "a search for this model needs too much memory; state a smaller --max-len",
                "--search", std::to_string(most >> 20U) + " MiB", std::to_string(needed >> 20U) + " MiB");
  }
}

class Search {
 public:
  Search(const Original& original, const RecordedReference& reference,
         const std::vector<std::pair<std::string, std::string>>& hints, const SearchOptions& options)
      : original_(original),
        reference_(reference),
        options_(options),
        space_(search_space(original, reference, hints)),
        match_(reference, original.architecture.outputs),
        threads_(options.threads != 0 ? options.threads : std::clamp(std::thread::hardware_concurrency(), 1U, 64U)) {
    check_memory(original, space_, threads_);
  }

  SearchResult run() {
    deadline_ = start_ + in_ticks(options_.seconds);
    const auto highest = static_cast<int>(space_.highest_price());
    // A step of two prices multiplies the number of structures by about ten, so what is walked twice costs little.
    for (PriceRange range{-1, 2};; range = {range.limit, range.limit + 2}) {
      run_threads([&](std::size_t item) { walk(item, range); }, first_choices());
      exhausted_ = range.limit >= highest && !stopped();
      if (exhausted_ || stopped()) break;
    }
    timed_out_ = Clock::now() >= deadline_;
    if (!exhausted_ && !fits_.empty()) try_neighbours();
    return result();
  }

 private:
  [[nodiscard]] std::size_t first_choices() const {
    return space_.inputs.size() * space_.layers.front().geometries.size();
  }
  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  /// Ends at the deadline, or where something fitted some time ago: half as long again as it took, at least two
  /// seconds.
  [[nodiscard]] bool stopped() const {
    const auto now = Clock::now();
    return failed_ || now >= deadline_ || now >= enough_.load();
  }

  void walk(std::size_t item, PriceRange range) {
    const std::size_t geometries = space_.layers.front().geometries.size();
    StructureWalk walk(
        original_, space_, match_.first().input,
        [&](const Architecture& architecture, unsigned price, const std::vector<double>& logits) {
          ++tried_;
          consider(architecture, price, logits);
        },
        [&] { return stopped(); });
    walk.run(item / geometries, item % geometries, range);
  }

  /// `logits` are those of the first record. What fits there must fit all the others.
  void consider(const Architecture& architecture, unsigned price, const std::vector<double>& logits) {
    for (const Recorded recorded : match_.readings()) {
      const double error = match_.error(0, recorded, logits);
      if (error > match_.tolerance()) {
        note_near({architecture, recorded, price, error, match_.place(0)});
        continue;
      }
      Structure structure{architecture, recorded, price, error, match_.place(0)};
      if (match_.complete(original_, structure, /*give_up=*/true)) note_fit(std::move(structure));
    }
  }

  void note_fit(Structure structure) {
    try {
      validate(structure.architecture);
    } catch (const Error&) {
      return;  // nothing that could be exported
    }
    const std::lock_guard lock(mutex_);
    const bool known = std::any_of(fits_.begin(), fits_.end(), [&](const Structure& other) {
      return other.architecture == structure.architecture && other.recorded == structure.recorded;
    });
    if (known || fits_.size() >= most_fits) return;
    fits_.push_back(std::move(structure));
    if (fits_.size() == 1) {
      enough_ = Clock::now() + in_ticks(std::max(options_.rival_seconds, seconds() / 2));
    }
  }

  void note_near(Structure structure) {
    // Most are far off; the lock is taken only for the few that are not.
    if (!(structure.worst < near_limit_)) return;
    const std::lock_guard lock(mutex_);
    near_.push_back(std::move(structure));
    if (near_.size() < 4 * kept_near) return;
    std::nth_element(near_.begin(), near_.begin() + kept_near, near_.end(),
                     [](const Structure& a, const Structure& b) { return a.worst < b.worst; });
    near_limit_ = near_[kept_near].worst;
    near_.resize(kept_near);
  }

  /// Structures with rare properties cost too much to be reached, but a rival of what fits is most likely like it.
  void try_neighbours() {
    enough_ = Clock::now() + in_ticks(options_.rival_seconds);
    const std::vector<Structure> found = fits_;
    for (const Structure& fit : found) {
      const std::vector<PricedArchitecture> all = neighbours(space_, fit.architecture);
      run_threads(
          [&](std::size_t item) {
            if (stopped()) return;
            const Architecture& architecture = all[item].architecture;
            ++tried_;
            if (!long_enough(architecture, match_.first().input.size())) return;
            consider(architecture, fit.price + all[item].price,
                     original_logits(original_, architecture, match_.first().input));
          },
          all.size());
    }
  }

  /// Calls `work` with 0 .. count - 1 on all threads, and the user's progress on this one.
  template <class Work>
  void run_threads(Work work, std::size_t count) {
    std::atomic<std::size_t> next = 0;
    std::atomic<unsigned> running = threads_;
    {
      std::vector<std::jthread> threads;
      for (unsigned i = 0; i < threads_; ++i) {
        threads.emplace_back([&] {
          try {
            for (std::size_t item = next++; item < count && !failed_; item = next++) work(item);
          } catch (...) {
            const std::lock_guard lock(mutex_);
            failure_ = std::current_exception();
            failed_ = true;
          }
          --running;
        });
      }
      while (running > 0) {
        if (options_.progress) {
          const std::lock_guard lock(mutex_);
          options_.progress({seconds(), tried_, fits_.size()});
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(options_.progress ? 20 : 1));
      }
    }
    if (failed_) std::rethrow_exception(failure_);
  }

  SearchResult result() {
    SearchResult result;
    result.open_keys = space_.open_keys;
    result.tried = tried_;
    result.possible = space_.size();
    result.exhausted = exhausted_;
    result.timed_out = timed_out_;
    result.scale = match_.scale();
    result.tolerance = match_.tolerance();
    result.records = match_.size();
    result.is_double = match_.is_double();
    if (fits_.empty()) {
      result.nearest = nearest();
    } else {
      classify_structures(original_, match_, std::move(fits_), result);
      const Architecture& best = result.fits.front().front().architecture;
      const bool cut = std::any_of(reference_.records.begin(), reference_.records.end(),
                                   [&](const Golden& record) { return record.input.size() > best.max_len; });
      result.max_len_unseen = !best.pad_token && !cut && !reference_.max_len;
    }
    result.seconds = seconds();
    return result;
  }

  /// What came near on the first record, measured on all of them.
  std::vector<Structure> nearest() {
    std::sort(near_.begin(), near_.end(), [](const Structure& a, const Structure& b) { return a.worst < b.worst; });
    near_.resize(std::min(near_.size(), kept_near));
    for (Structure& structure : near_) match_.complete(original_, structure, /*give_up=*/false);
    std::sort(near_.begin(), near_.end(), [](const Structure& a, const Structure& b) {
      return std::pair(a.worst, a.price) < std::pair(b.worst, b.price);
    });
    constexpr std::size_t shown = 5;
    near_.resize(std::min(near_.size(), shown));
    return std::move(near_);
  }

  static constexpr std::size_t most_fits = 64;
  static constexpr std::size_t kept_near = 32;

  const Original& original_;
  const RecordedReference& reference_;
  const SearchOptions& options_;
  const SearchSpace space_;
  const RecordMatch match_;
  const unsigned threads_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point deadline_;
  std::atomic<Clock::time_point> enough_ = Clock::time_point::max();
  std::atomic<std::uint64_t> tried_ = 0;
  std::atomic<double> near_limit_ = std::numeric_limits<double>::infinity();
  std::atomic<bool> failed_ = false;
  std::exception_ptr failure_;
  std::mutex mutex_;
  std::vector<Structure> fits_, near_;
  bool exhausted_ = false, timed_out_ = false;
};

}  // namespace

SearchResult search_structures(const Original& original, const RecordedReference& reference,
                               const std::vector<std::pair<std::string, std::string>>& hints,
                               const SearchOptions& options) {
  return Search(original, reference, hints, options).run();
}

void adopt(const SearchResult& result, Original& original) {
  original.architecture = result.fits.front().front().architecture;
  for (const std::string& key : result.open_keys) {
    if (key != "max_len" || !result.max_len_unseen) original.sources[key] = "reference";
  }
  // Recorded scores tell how they were made.
  const Recorded recorded = result.fits.front().front().recorded;
  const auto output = original.sources.find("output");
  if (recorded != Recorded::logits && output != original.sources.end() && output->second == "default") {
    original.architecture.output = recorded == Recorded::sigmoid ? Output::sigmoid : Output::softmax;
    output->second = "reference";
  }
}

}  // namespace bytecnn::exporter
