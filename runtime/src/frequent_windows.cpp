#include "bytecnn/frequent_windows.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string>
#include <utility>

#include "bytecnn/error.hpp"

#include "plan.hpp"

namespace bytecnn {
namespace {

constexpr std::uint32_t max_kernel_size = TrigramTable::key_bits / TrigramTable::key_token_bits;
constexpr std::uint32_t max_vocab_size = (1U << TrigramTable::key_token_bits) - 1;  // and one for "outside"
constexpr std::uint32_t first_slot_bits = 14;

void require_at_most(std::uint32_t most, std::uint32_t found, const char* where) {
  if (found <= most) return;
  throw Error(ErrorCode::unsupported, "batches look up no windows of such a model", where,
              "at most " + std::to_string(most), std::to_string(found));
}

}  // namespace

FrequentWindowCounter::FrequentWindowCounter(const Architecture& architecture)
    : kernel_size_(architecture.conv_layers.at(0).kernel_size),
      pad_left_(architecture.conv_layers[0].pad_left),
      pad_right_(architecture.conv_layers[0].pad_right),
      vocab_size_(architecture.vocab_size),
      max_len_(architecture.max_len),
      padded_(architecture.pad_token.has_value()),
      pad_token_(architecture.pad_token.value_or(0)),
      shift_(32 - first_slot_bits),
      slots_(std::size_t{1} << first_slot_bits) {
  require_at_most(max_kernel_size, kernel_size_, "/architecture/conv_layers/0/kernel_size");
  require_at_most(max_vocab_size, vocab_size_, "/architecture/vocab_size");
}

void FrequentWindowCounter::count(std::span<const std::byte> text) {
  const auto length = static_cast<std::int64_t>(std::min<std::size_t>(text.size(), max_len_));
  const std::int64_t tokens = padded_ ? max_len_ : length;
  const std::int64_t columns = tokens + pad_left_ + pad_right_ - kernel_size_ + 1;
  const std::int64_t seeing = std::min(columns, length + pad_left_);
  for (std::int64_t c = 0; c < seeing; ++c) {
    std::uint32_t key = 0;
    for (std::int64_t k = 0; k < kernel_size_; ++k) {
      const std::int64_t place = c - pad_left_ + k;
      std::uint32_t token = vocab_size_;  // outside the input
      if (place >= 0 && place < length) {
        token = std::to_integer<std::uint32_t>(text[static_cast<std::size_t>(place)]);
      } else if (place >= length && place < tokens) {
        token = pad_token_;
      }
      key |= token << (k * TrigramTable::key_token_bits);
    }
    add(key);
  }
}

void FrequentWindowCounter::add(std::uint32_t key) {
  std::size_t place = (key * TrigramTable::multiplier) >> shift_;
  while (slots_[place].count > 0 && slots_[place].key != key) place = (place + 1) % slots_.size();
  Slot& slot = slots_[place];
  slot.key = key;
  if (slot.count < std::numeric_limits<std::uint32_t>::max()) ++slot.count;
  ++counted_;
  if (slot.count == 1 && ++used_ > slots_.size() / 2) grow();
}

void FrequentWindowCounter::grow() {
  std::vector<Slot> fuller(2 * slots_.size());
  std::swap(fuller, slots_);
  --shift_;
  for (const Slot& slot : fuller) {
    if (slot.count == 0) continue;
    std::size_t place = (slot.key * TrigramTable::multiplier) >> shift_;
    while (slots_[place].count > 0) place = (place + 1) % slots_.size();
    slots_[place] = slot;
  }
}

std::vector<FrequentWindowCounter::Slot> FrequentWindowCounter::ranked(std::size_t most) const {
  std::vector<Slot> slots;
  slots.reserve(used_);
  std::ranges::copy_if(slots_, std::back_inserter(slots), [](const Slot& slot) { return slot.count > 0; });
  most = std::min(most, slots.size());
  std::partial_sort(
      slots.begin(), slots.begin() + static_cast<std::ptrdiff_t>(most), slots.end(),
      [](const Slot& a, const Slot& b) { return a.count != b.count ? a.count > b.count : a.key < b.key; });
  slots.resize(most);
  return slots;
}

FrequentWindows FrequentWindowCounter::most_frequent(std::size_t most) const {
  FrequentWindows windows;
  for (const Slot& slot : ranked(most)) {
    for (std::uint32_t k = 0; k < kernel_size_; ++k) {
      windows.tokens.push_back((slot.key >> (k * TrigramTable::key_token_bits)) & max_vocab_size);
    }
  }
  return windows;
}

std::uint64_t FrequentWindowCounter::covered(std::size_t most) const {
  std::uint64_t sum = 0;
  for (const Slot& slot : ranked(most)) sum += slot.count;
  return sum;
}

}  // namespace bytecnn
