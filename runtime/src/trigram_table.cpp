#include "trigram_table.hpp"

#include <algorithm>
#include <bit>
#include <new>

#include "plan_builder.hpp"

namespace bytecnn {
namespace {

using Text = std::span<const std::byte>;

struct CountedKey {
  std::uint32_t key = 0, count = 0;
};

/// How often each key was seen: open addressing, at most half full.
class KeyCounts {
 public:
  explicit KeyCounts(std::size_t most_keys)
      : shift_(32 - static_cast<int>(std::bit_width(2 * most_keys))), slots_(std::size_t{1} << (32 - shift_)) {}

  void count(std::uint32_t key) {
    std::size_t place = (key * TrigramTable::multiplier) >> shift_;
    while (slots_[place].count > 0 && slots_[place].key != key) place = (place + 1) % slots_.size();
    slots_[place].key = key;
    ++slots_[place].count;
  }

  /// The `most` most frequent keys, those first; equally frequent ones by their value, so that the order is one.
  [[nodiscard]] std::vector<CountedKey> most_frequent(std::size_t most) && {
    std::erase_if(slots_, [](const CountedKey& slot) { return slot.count == 0; });
    most = std::min(most, slots_.size());
    std::partial_sort(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(most), slots_.end(),
                      [](const CountedKey& a, const CountedKey& b) {
                        return a.count != b.count ? a.count > b.count : a.key < b.key;
                      });
    slots_.resize(most);
    return std::move(slots_);
  }

 private:
  int shift_;
  std::vector<CountedKey> slots_;
};

/// Counts the windows that `text` gives, those at its ends too; none that sees padding alone.
void count_windows(const Plan& bulk_plan, Text text, KeyCounts& counts) {
  const TableStage& first = bulk_plan.trigrams->first;
  text = text.first(std::min<std::size_t>(text.size(), bulk_plan.max_len));
  const auto length = static_cast<std::int64_t>(text.size());
  const std::int64_t tokens = bulk_plan.padded ? bulk_plan.max_len : length;
  const std::int64_t kernel = first.kernel_size;
  const std::int64_t columns = tokens + first.pad_left + first.pad_right - kernel + 1;
  const std::int64_t seeing = std::min(columns, length + first.pad_left);
  for (std::int64_t c = 0; c < seeing; ++c) {
    std::uint32_t key = 0;
    for (std::int64_t k = 0; k < kernel; ++k) {
      const std::int64_t place = c - first.pad_left + k;
      std::uint32_t token = bulk_plan.vocab_size;  // outside the input
      if (place >= 0 && place < length) {
        token = std::to_integer<std::uint32_t>(text[static_cast<std::size_t>(place)]);
      } else if (place >= length && place < tokens) {
        token = bulk_plan.pad_token;
      }
      key |= token << (k * TrigramTable::key_token_bits);
    }
    counts.count(key);
  }
}

struct Place {
  std::uint32_t slot, rest;
};

Place place_of(std::uint32_t key, std::uint32_t shift) {
  constexpr std::uint32_t mask = (1U << TrigramTable::key_bits) - 1;
  const std::uint32_t product = (key * TrigramTable::multiplier) & mask;
  return {product >> shift, product & ((1U << shift) - 1)};
}

float* allocate_floats(std::size_t floats) {
  return static_cast<float*>(::operator new[](std::max<std::size_t>(floats, 1) * sizeof(float), std::align_val_t{64}));
}

}  // namespace

void LearnedTrigrams::AlignedDelete::operator()(float* memory) const noexcept {
  ::operator delete[](memory, std::align_val_t{64});
}

LearnedTrigrams::LearnedTrigrams(const Plan& bulk_plan, const kernels::KernelTable& kernels,
                                 std::span<const Text> texts) {
  const TrigramStage& stage = *bulk_plan.trigrams;
  std::size_t sampled = 0;
  std::vector<Text> sample;
  for (const Text text : texts) {
    if (sampled >= sample_bytes) break;
    sample.push_back(text.first(std::min(text.size(), sample_bytes - sampled)));
    sampled += sample.back().size();
  }
  sampled_ = sampled;
  KeyCounts counts(sampled + sample.size() * (std::size_t{stage.first.pad_left} + 1));
  for (const Text text : sample) count_windows(bulk_plan, text, counts);

  // Four slots an entry: one slot a key is fast to look up, and few frequent keys then fall on a taken one.
  const std::size_t most = bulk_table_entries(stage);
  const auto wanted_bits = static_cast<std::uint32_t>(std::bit_width(4 * most - 1));
  const std::uint32_t slot_bits = std::max(wanted_bits, TrigramTable::min_slot_bits);
  table_.shift = TrigramTable::key_bits - slot_bits;
  slots_.assign(std::size_t{1} << slot_bits, TrigramTable::empty_slot);
  std::vector<std::uint32_t> held;
  // Twice as many as are wanted, for those that fall on a taken slot.
  for (const auto& [key, count] : std::move(counts).most_frequent(2 * most)) {
    if (held.size() == most) break;
    const Place place = place_of(key, table_.shift);
    if (slots_[place.slot] != TrigramTable::empty_slot) continue;
    slots_[place.slot] = place.rest << 16U | static_cast<std::uint32_t>(held.size());
    held.push_back(key);
  }
  entries_.reset(allocate_floats(held.size() * stage.entry_floats));
  const std::unique_ptr<float[], AlignedDelete> working(allocate_floats(bulk_plan.working_floats));
  kernels.entries(bulk_plan, held.data(), held.size(), working.get(), entries_.get());
  table_.slots = slots_.data();
  table_.entries = entries_.get();
}

TrigramTable empty_trigram_table(const TrigramStage& stage) {
  // Filled when it is first wanted: as an array that the compiler fills it would be 16 kB of the library.
  static const std::vector<std::uint32_t> slots(std::size_t{1} << TrigramTable::min_slot_bits,
                                                TrigramTable::empty_slot);
  TrigramTable table;
  table.slots = slots.data();
  table.entries = stage.zero_entry;
  return table;
}

}  // namespace bytecnn
