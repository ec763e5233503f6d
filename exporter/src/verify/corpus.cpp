#include "verify/corpus.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <string_view>
#include <utility>

#include "verify/filter_search.hpp"

namespace bytecnn::exporter {
namespace {

/// std::mt19937_64 is the same everywhere; the standard distributions are not.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}
  /// A number below `limit`. The bias of the remainder is of no concern here.
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : static_cast<std::size_t>(engine_() % limit); }
  std::byte byte() { return static_cast<std::byte>(engine_() & 0xFFU); }

 private:
  std::mt19937_64 engine_;
};

Bytes bytes_of(std::string_view text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());  // NOLINT: characters are bytes
  return {data, data + text.size()};
}

std::string hexadecimal(std::size_t byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  return {'0', 'x', digits[byte >> 4U], digits[byte & 15U]};
}

/// Text that wanders through all bytes without a short period, so that no two lengths look alike.
Bytes mixed_bytes(std::size_t length) {
  Bytes bytes(length);
  for (std::size_t i = 0; i < length; ++i)
    bytes[i] = static_cast<std::byte>((i * 37 + i / 7 * 11 + i * i / 64) & 0xFFU);
  return bytes;
}

Bytes prose(std::size_t length) {
  constexpr std::string_view text =
      "The quick brown fox jumps over 13 lazy dogs; GET /index.html?q=caf\xC3\xA9 HTTP/1.1 -- \xE4\xBD\xA0\xE5\xA5\xBD "
      "{\"level\": \"error\", \"code\": 0x1F}\t\r\n";
  Bytes bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::byte>(text[i % text.size()]);
  return bytes;
}

class Collection {
 public:
  Collection(const Model& model, const VerifyOptions& options)
      : model_(model), architecture_(model.architecture), options_(options), chance_(options.seed) {
    longest_ = architecture_.max_len;
    // A model that takes megabytes without padding is tried at lengths that its intermediate values fit into memory.
    if (!architecture_.pad_token) {
      std::size_t widest = architecture_.embed_dim;
      for (const auto& layer : architecture_.conv_layers) widest = std::max<std::size_t>(widest, layer.filters);
      constexpr std::size_t values = std::size_t{1} << 24U;
      longest_ = std::min(longest_, std::max<std::size_t>(values / std::max<std::size_t>(widest, 1), 64));
    }
  }

  std::vector<NamedInput> collect() {
    edges();
    few_adversaries(4);
    random_inputs(options_.samples / 4);
    runs();
    borders();
    few_adversaries(48);
    deep_adversaries();
    single_bytes();
    all_runs();
    random_inputs(options_.samples);
    inputs_.insert(inputs_.end(), options_.corpus.begin(), options_.corpus.end());
    return std::move(inputs_);
  }

 private:
  /// Every edge is run, whatever the model costs; all else as far as the limit reaches.
  void add(std::string name, Bytes bytes, bool is_edge = false) {
    if (!seen_.insert(name).second) return;
    const std::uint64_t work = reference_work(architecture_, bytes.size());
    if (!is_edge && options_.work_limit != 0 && work_ + work > options_.work_limit) return;
    work_ += work;
    inputs_.push_back({std::move(name), std::move(bytes), kind_});
  }

  void edges() {
    kind_ = "edge case";
    add("empty", {}, true);
    add("every byte once", every_byte(), true);
    std::set<std::size_t> lengths;
    std::size_t reach = 1;
    for (const auto& layer : architecture_.conv_layers) {
      reach = std::max<std::size_t>(reach, layer.reach() + 1);
    }
    for (std::size_t length = 1; length <= std::min<std::size_t>(reach + 2, 12); ++length) lengths.insert(length);
    for (std::size_t around : {reach, shortest_input(architecture_), longest_}) {
      for (std::size_t length = around > 3 ? around - 3 : 1; length <= around + 2; ++length) lengths.insert(length);
    }
    lengths.insert(2 * longest_ + 1);
    for (const std::size_t length : lengths) {
      if (length <= 2 * longest_ + 1) add("length " + std::to_string(length), mixed_bytes(length), true);
    }
    add("prose", prose(longest_), true);
    add("NULs", Bytes(std::min<std::size_t>(longest_, 20)), true);
    add("NUL between", bytes_of(std::string_view("left\0right\0\0end", 15)), true);
    add("not UTF-8", bytes_of("\xFF\xFE\xC3(\xA0\xA1 \xE2\x28\xA1 \xF0\x90\x28\xBC \xED\xA0\x80 \x80\x80"), true);
    add("newlines", bytes_of("one\r\ntwo\n\n\nthree\r"), true);
  }

  Bytes every_byte() const {
    Bytes bytes(std::min<std::size_t>(256, longest_));
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>((i * 89 + 7) & 0xFFU);
    return bytes;
  }

  /// One byte value over the whole length: the average sums the same number again and again.
  void runs() {
    kind_ = "run of one byte";
    for (const std::size_t byte : {0x00U, 0x20U, 0x61U, 0x7FU, 0x80U, 0xFFU}) {
      add("run of " + hexadecimal(byte), Bytes(longest_, static_cast<std::byte>(byte)));
    }
    Bytes halves(longest_, std::byte{0x41});
    std::fill(halves.begin() + static_cast<std::ptrdiff_t>(halves.size() / 2), halves.end(), std::byte{0xF0});
    add("two runs", std::move(halves));
  }

  /// The rest of the 256 runs, at lengths that differ from run to run.
  void all_runs() {
    kind_ = "run of one byte";
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::size_t length = byte % 2 == 0 ? longest_ : std::max(random_length(), std::size_t{1});
      add("run of " + hexadecimal(byte), Bytes(length, static_cast<std::byte>(byte)));
    }
  }

  /// Only the last byte that counts, or the first that does not, is another one: what max_len and the borders do.
  void borders() {
    kind_ = "border";
    for (const std::size_t length : {longest_, longest_ + 1}) {
      for (const auto& [rest, end] :
           {std::pair{0x20U, 0x00U}, {0x20U, 0xFFU}, {0x00U, 0xFFU}, {0xFFU, 0x00U}, {0x80U, 0x7FU}, {0x61U, 0x0AU}}) {
        Bytes last(length - 1, static_cast<std::byte>(rest));
        last.push_back(static_cast<std::byte>(end));
        Bytes first{static_cast<std::byte>(end)};
        first.resize(length, static_cast<std::byte>(rest));
        const std::string name = hexadecimal(end) + " of " + std::to_string(length) + " bytes " + hexadecimal(rest);
        add("last " + name, std::move(last));
        add("first " + name, std::move(first));
      }
    }
  }

  void single_bytes() {
    kind_ = "single byte";
    for (std::size_t byte = 0; byte < 256; ++byte) {
      add("byte " + hexadecimal(byte), Bytes(1, static_cast<std::byte>(byte)));
    }
  }

  void few_adversaries(std::size_t count) {
    kind_ = "adversary";
    const std::size_t filters = architecture_.conv_layers.empty() ? 0 : architecture_.conv_layers.front().filters;
    const std::size_t step = std::max<std::size_t>(1, filters / std::max<std::size_t>(count, 1));
    for (std::size_t filter = 0; filter < filters; filter += step) {
      for (const bool highest : {true, false}) {
        add("conv1 filter " + std::to_string(filter) + (highest ? " highest" : " lowest"),
            filter_extreme(model_, filter, highest, longest_));
      }
    }
  }

  /// A few filters of every deeper layer, as far as a second's share of searching goes.
  void deep_adversaries() {
    kind_ = "adversary";
    // Multiplications of all searches together: a small part of what all inputs may cost.
    constexpr std::uint64_t unlimited = 400'000'000;
    const std::uint64_t search_limit =
        options_.work_limit == 0 ? unlimited : std::min(unlimited, options_.work_limit / 8);
    const std::size_t deep = architecture_.conv_layers.size() - 1;
    for (std::size_t layer = 1; layer <= deep; ++layer) {
      const std::uint64_t work = 2 * deep_filter_work(architecture_, layer);
      const std::uint64_t affordable =
          std::min<std::uint64_t>(search_limit / deep / std::max<std::uint64_t>(work, 1), 8);
      const std::size_t filters = architecture_.conv_layers[layer].filters;
      const std::size_t count = std::min<std::size_t>(filters, affordable);
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t filter = i * filters / count;
        for (const bool highest : {true, false}) {
          add("conv" + std::to_string(layer + 1) + " filter " + std::to_string(filter) +
                  (highest ? " highest" : " lowest"),
              deep_filter_extreme(model_, layer, filter, highest, longest_));
        }
      }
    }
  }

  std::size_t random_length() {
    const std::size_t shortest = shortest_input(architecture_);
    switch (chance_.below(4)) {
      case 0:
        return longest_ + chance_.below(4);  // filled to the end, or cut
      case 1:
        return shortest + chance_.below(std::min<std::size_t>(longest_, 64));
      default:
        return shortest + chance_.below(longest_ - std::min(longest_, shortest) + 1);
    }
  }

  void random_inputs(std::size_t until) {
    for (; random_ < until; ++random_) {
      Bytes bytes(random_length());
      kind_ = random_ % 4 == 3 && !options_.corpus.empty() ? "mixture of the corpus" : "random";
      std::string name = "random ";
      switch (random_ % 4) {
        case 0:
        case 1:
          name += "bytes ";
          for (auto& byte : bytes) byte = chance_.byte();
          break;
        case 2:
          name += "text ";
          for (auto& byte : bytes) byte = static_cast<std::byte>(0x20 + chance_.below(0x5F));
          break;
        default:
          name += options_.corpus.empty() ? "runs " : "mixture of the corpus ";
          if (options_.corpus.empty()) {
            fill_with_runs(bytes);
          } else {
            fill_from_corpus(bytes);
            distort(bytes);
          }
      }
      add(name + std::to_string(random_ + 1), std::move(bytes));
    }
  }

  void fill_with_runs(Bytes& bytes) {
    for (std::size_t i = 0; i < bytes.size();) {
      const std::byte byte = chance_.byte();
      for (std::size_t left = 1 + chance_.below(24); left > 0 && i < bytes.size(); --left) bytes[i++] = byte;
    }
  }

  void fill_from_corpus(Bytes& bytes) {
    for (std::size_t i = 0; i < bytes.size();) {
      const Bytes& line = options_.corpus[chance_.below(options_.corpus.size())].bytes;
      if (line.empty()) {
        bytes[i++] = std::byte{0x20};
        continue;
      }
      const std::size_t from = chance_.below(line.size());
      const std::size_t count = std::min(1 + chance_.below(line.size() - from), bytes.size() - i);
      std::copy_n(line.begin() + static_cast<std::ptrdiff_t>(from), count,
                  bytes.begin() + static_cast<std::ptrdiff_t>(i));
      i += count;
    }
  }

  /// What happens to real inputs on their way: another case, bytes out of order, a splice of noise, an end cut off; or
  /// nothing.
  void distort(Bytes& bytes) {
    if (bytes.empty()) return;
    const std::size_t from = chance_.below(bytes.size());
    const std::size_t count = 1 + chance_.below(std::min<std::size_t>(bytes.size() - from, 32));
    switch (chance_.below(5)) {
      case 0:
        for (std::byte& byte : bytes) {
          const auto letter = std::to_integer<unsigned>(byte) | 0x20U;
          if (letter >= 'a' && letter <= 'z' && chance_.below(2) == 0) byte ^= std::byte{0x20};
        }
        break;
      case 1:
        for (std::size_t i = count; i > 1; --i) std::swap(bytes[from + i - 1], bytes[from + chance_.below(i)]);
        break;
      case 2:
        for (std::size_t i = 0; i < count; ++i) bytes[from + i] = chance_.byte();
        break;
      case 3:
        bytes.resize(std::max(bytes.size() - count, shortest_input(architecture_)));
        break;
      default:
        break;
    }
  }

  const Model& model_;
  const Architecture& architecture_;
  const VerifyOptions& options_;
  Chance chance_;
  std::size_t longest_ = 0;
  std::size_t random_ = 0;
  std::uint64_t work_ = 0;
  std::string kind_;
  std::set<std::string> seen_;
  std::vector<NamedInput> inputs_;
};

}  // namespace

std::vector<NamedInput> verification_inputs(const Model& model, const VerifyOptions& options) {
  return Collection(model, options).collect();
}

std::uint64_t reference_work(const Architecture& architecture, std::size_t bytes) {
  std::uint64_t length =
      architecture.pad_token ? architecture.max_len : std::min<std::size_t>(bytes, architecture.max_len);
  std::uint64_t work = 0;
  for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) {
    const ConvLayer& layer = architecture.conv_layers[i];
    length = layer.output_length(length);
    work += length * layer.filters * layer.kernel_size * (architecture.in_channels(i) / std::max(layer.groups, 1U));
  }
  return work;
}

std::size_t shortest_input(const Architecture& architecture) {
  if (architecture.pad_token) return 0;
  const std::uint64_t wanted = minimum_pooled_positions(architecture.pooling);
  // Every layer only shortens or keeps the order of lengths, so the first length that suffices is found by bisection.
  std::uint64_t low = 0;
  std::uint64_t high = architecture.max_len;
  while (low < high) {
    const std::uint64_t middle = (low + high) / 2;
    if (architecture.pooled_positions(middle) >= wanted) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return static_cast<std::size_t>(low);
}

}  // namespace bytecnn::exporter
