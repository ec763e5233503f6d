#include "sample_texts.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <string_view>

#include "bytecnn/error.hpp"

#include "record_source.hpp"

namespace bytecnn::cli {
namespace {

constexpr std::size_t texts_per_class = 256;
constexpr std::size_t most_corpus_bytes = std::size_t{1} << 28U;

// Written for this program. What matters is that letters and words follow each other as they do in prose.
constexpr std::string_view prose =
    "The harbour office opens at six, long before the first ferry. By then the bakers have been at work for hours, and "
    "the smell of bread drifts down the hill to where the nets hang drying. Nobody hurries. A woman in a yellow coat "
    "counts crates of apples, writes the number 48 on a slip of paper and hands it to the driver, who signs without "
    "looking. \"Same again on Thursday?\" he asks. \"If the weather holds,\" she says; it usually does. Further along "
    "the "
    "quay somebody has painted the hull of a small boat bright blue, and the name, Margarete, is still wet. Two gulls "
    "argue over a piece of fish. When the bell rings, people put down what they are doing and walk to the landing "
    "stage, "
    "not because they expect anyone, but because that is what one does here when a ship comes in. The captain raises "
    "his "
    "hat; the dog barks twice; the ropes fly through the air and are caught. Then it is quiet again, except for the "
    "engine, and the water, and a radio in a kitchen window that promises rain from the west by evening, wind 5 to 6, "
    "visibility good. At the school they learn about tides this week: why the sea rises and falls, how to read the "
    "tables, what the moon has to do with it. Jonas, who is nine, knows all of this already. His grandfather told him, "
    "years ago, while they were mending the jetty: \"The moon pulls, the earth turns, and we only have to be on "
    "time.\" ";

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

SampleTexts::SampleTexts(std::vector<std::size_t> lengths, std::size_t max_len) : name_("English prose") {
  std::erase_if(lengths, [max_len](std::size_t length) { return length >= max_len; });
  lengths.push_back(max_len);
  std::ranges::sort(lengths);
  lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());

  // The prose over and over, so that a text may begin anywhere in it.
  const std::size_t wanted = prose.size() + max_len;
  while (memory_.size() < wanted) {
    const auto source = bytes_of(prose).first(std::min(prose.size(), wanted - memory_.size()));
    memory_.insert(memory_.end(), source.begin(), source.end());
  }
  constexpr std::size_t step = 101;  // coprime with the prose's length, so that all beginnings differ
  for (const std::size_t length : lengths) {
    LengthClass& added = classes_.emplace_back(LengthClass{length, length, {}});
    for (std::size_t i = 0; i < texts_per_class; ++i) {
      added.texts.push_back(std::span(memory_).subspan(step * i % prose.size(), length));
    }
  }
  for (std::size_t i = 0; i < texts_per_class; ++i) {
    for (const LengthClass& one : classes_) all_.push_back(one.texts[i]);
  }
  for (const auto text : all_) bytes_ += text.size();
}

SampleTexts::SampleTexts(const std::string& corpus, std::size_t max_len) : name_(corpus) {
  std::atomic<std::uint64_t> bytes_read{0};
  const auto source =
      delimited_source(corpus, Framing::lines, {}, {{max_len, false}, {8192, 1, std::size_t{1} << 18U}, bytes_read});
  std::vector<std::size_t> lengths;
  for (Block block; memory_.size() < most_corpus_bytes && source->next(block);) {
    for (const Record& record : block.records) {
      if (const std::string_view error = block.error_of(record); !error.empty()) {
        throw Error(ErrorCode::io, std::string(error), corpus);
      }
      memory_.insert(memory_.end(), record.bytes.begin(), record.bytes.end());
      lengths.push_back(record.bytes.size());
    }
  }
  if (lengths.empty()) throw Error(ErrorCode::invalid, "the corpus holds no line", corpus);

  std::vector<std::vector<std::span<const std::byte>>> by_magnitude(static_cast<std::size_t>(std::bit_width(max_len)) +
                                                                    1);
  auto rest = std::span<const std::byte>(memory_);
  for (const std::size_t length : lengths) {
    all_.push_back(rest.first(length));
    by_magnitude[static_cast<std::size_t>(std::bit_width(length))].push_back(all_.back());
    rest = rest.subspan(length);
  }
  bytes_ = memory_.size();
  for (const auto& texts : by_magnitude) {
    if (texts.empty()) continue;
    LengthClass& added = classes_.emplace_back(LengthClass{texts[0].size(), texts[0].size(), {}});
    // Spread over the whole corpus.
    const std::size_t taken = std::min(texts.size(), texts_per_class);
    for (std::size_t i = 0; i < taken; ++i) {
      added.texts.push_back(texts[i * texts.size() / taken]);
      added.shortest = std::min(added.shortest, added.texts.back().size());
      added.longest = std::max(added.longest, added.texts.back().size());
    }
  }
}

}  // namespace bytecnn::cli
