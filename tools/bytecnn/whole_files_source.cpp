/// Files (and texts of the command line) as whole inputs, gathered into blocks.

#include <algorithm>
#include <utility>

#include "input_file.hpp"
#include "record_source.hpp"

namespace bytecnn::cli {
namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 20U;
constexpr std::size_t max_block_files = 1024;
constexpr std::size_t first_read = std::size_t{1} << 14U;

class WholeFilesSource final : public RecordSource {
 public:
  WholeFilesSource(std::vector<std::string> paths, InputLimit limit) : paths_(std::move(paths)), limit_(limit) {}

  bool next(Block& block) override {
    block.clear();
    contents_.clear();
    contents_.reserve(max_block_files);  // records point into what stands here
    std::size_t bytes = 0;
    while (next_path_ < paths_.size() && block.size() < max_block_files && bytes < block_bytes) {
      block.push_back(read(paths_[next_path_]));
      bytes += block.back().bytes.size();
      ++next_path_;
    }
    return !block.empty();
  }

 private:
  Record read(const std::string& path) {
    Record record;
    record.id.text = path;
    InputFile file(path);
    std::vector<std::byte> content;
    // One byte more than is kept tells a longer file.
    const std::size_t wanted = limit_.bytes + (limit_.longer_is_error ? 1 : 0);
    std::size_t size = 0;
    while (size < wanted) {
      if (size == content.size()) content.resize(std::min(wanted, std::max(first_read, 2 * size)));
      const std::size_t count = file.read_some(std::span(content).subspan(size));
      if (count == 0) break;
      size += count;
    }
    if (size == wanted) file.drain_pipe();
    if (!file.error().empty()) {
      record.error = file.error();
    } else if (size > limit_.bytes) {
      record.error = "the file is longer than " + std::to_string(limit_.bytes) + " bytes";
    } else {
      content.resize(size);
      contents_.push_back(std::move(content));
      record.bytes = contents_.back();
    }
    return record;
  }

  std::vector<std::string> paths_;
  InputLimit limit_;
  std::size_t next_path_ = 0;
  std::vector<std::vector<std::byte>> contents_;
};

class TextsSource final : public RecordSource {
 public:
  explicit TextsSource(std::vector<std::string> texts) : texts_(std::move(texts)) {}

  bool next(Block& block) override {
    block.clear();
    if (std::exchange(done_, true)) return false;
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      block.push_back({{std::to_string(i + 1), true}, std::as_bytes(std::span(texts_[i])), {}});
    }
    return !block.empty();
  }

 private:
  std::vector<std::string> texts_;
  bool done_ = false;
};

class Chain final : public RecordSource {
 public:
  explicit Chain(std::vector<std::unique_ptr<RecordSource>> sources) : sources_(std::move(sources)) {}

  bool next(Block& block) override {
    for (; current_ < sources_.size(); ++current_) {
      if (sources_[current_]->next(block)) return true;
      sources_[current_].reset();
    }
    block.clear();
    return false;
  }

 private:
  std::vector<std::unique_ptr<RecordSource>> sources_;
  std::size_t current_ = 0;
};

}  // namespace

std::unique_ptr<RecordSource> texts_source(std::vector<std::string> texts) {
  return std::make_unique<TextsSource>(std::move(texts));
}

std::unique_ptr<RecordSource> whole_files_source(std::vector<std::string> paths, InputLimit limit) {
  return std::make_unique<WholeFilesSource>(std::move(paths), limit);
}

std::unique_ptr<RecordSource> chain(std::vector<std::unique_ptr<RecordSource>> sources) {
  return std::make_unique<Chain>(std::move(sources));
}

}  // namespace bytecnn::cli
