#include "trigram_table.hpp"

#include <algorithm>
#include <bit>
#include <new>
#include <vector>

#include "plan_builder.hpp"

namespace bytecnn {
namespace {

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
                                 const FrequentWindows& windows, std::size_t sampled)
    : sampled_(sampled) {
  const TrigramStage& stage = *bulk_plan.trigrams;
  const std::size_t tokens = stage.first.kernel_size;
  // Four slots an entry: one slot a key is fast to look up, and few frequent keys then fall on a taken one.
  const std::size_t most = bulk_table_entries(stage);
  const auto wanted_bits = static_cast<std::uint32_t>(std::bit_width(4 * most - 1));
  const std::uint32_t slot_bits = std::max(wanted_bits, TrigramTable::min_slot_bits);
  table_.shift = TrigramTable::key_bits - slot_bits;
  slots_.assign(std::size_t{1} << slot_bits, TrigramTable::empty_slot);
  std::vector<std::uint32_t> held;
  for (std::size_t i = 0; i + tokens <= windows.tokens.size() && held.size() < most; i += tokens) {
    std::uint32_t key = 0;
    for (std::size_t k = 0; k < tokens; ++k) key |= windows.tokens[i + k] << (k * TrigramTable::key_token_bits);
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
