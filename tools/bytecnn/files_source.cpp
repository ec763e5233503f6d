/// The inputs of a command line in their order: files as whole inputs, gathered into blocks that are read later, and
/// files of records, read here.

#include <utility>

#include "input_file.hpp"
#include "record_source.hpp"

namespace bytecnn::cli {
namespace {

class FilesSource final : public RecordSource {
 public:
  FilesSource(FileInputs inputs, const Reading& reading)
      : single_(inputs.paths.size() == 1),
        framing_(inputs.framing),
        walk_(std::move(inputs.paths), inputs.folders),
        reading_(reading),
        ahead_(walk_.next()) {}

  bool next(Block& block) override {
    for (;;) {
      if (records_) {
        if (records_->next(block)) return true;
        records_.reset();
      }
      block.clear();
      block.contents = Contents::files;
      while (ahead_ && is_whole(*ahead_) && block.records.size() < reading_.size.files)
        add(block, *std::exchange(ahead_, walk_.next()));
      if (!block.records.empty()) return true;
      if (!ahead_) return false;
      const std::string path = std::exchange(ahead_, walk_.next())->path;
      records_ = delimited_source(path, framing_of(path, framing_), path == "-" && single_ ? "" : path, reading_);
    }
  }

  [[nodiscard]] std::uint64_t links_not_followed() const override { return walk_.links_not_followed(); }

 private:
  [[nodiscard]] bool is_whole(const WalkedPath& found) const {
    return !found.error.empty() || framing_of(found.path, framing_) == Framing::whole;
  }

  static void add(Block& block, WalkedPath found) {
    Record& record = block.records.emplace_back();
    Remark& remark = block.remark_on(record);
    remark.name = RecordName{std::move(found.path), false};
    remark.error = std::move(found.error);
  }

  bool single_;
  std::optional<Framing> framing_;
  PathWalk walk_;
  Reading reading_;
  std::optional<WalkedPath> ahead_;
  std::unique_ptr<RecordSource> records_;  ///< the file whose records are being handed out
};

class TextsSource final : public RecordSource {
 public:
  explicit TextsSource(std::vector<std::string> texts) : texts_(std::move(texts)) {}

  bool next(Block& block) override {
    block.clear();
    if (std::exchange(done_, true)) return false;
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      block.records.push_back({std::as_bytes(std::span(texts_[i])), i + 1});
    }
    return !block.records.empty();
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
    }
    return false;
  }

  [[nodiscard]] std::uint64_t links_not_followed() const override {
    std::uint64_t links = 0;
    for (const auto& source : sources_) links += source->links_not_followed();
    return links;
  }

 private:
  std::vector<std::unique_ptr<RecordSource>> sources_;
  std::size_t current_ = 0;
};

}  // namespace

std::unique_ptr<RecordSource> texts_source(std::vector<std::string> texts) {
  return std::make_unique<TextsSource>(std::move(texts));
}

std::unique_ptr<RecordSource> files_source(FileInputs inputs, const Reading& reading) {
  return std::make_unique<FilesSource>(std::move(inputs), reading);
}

std::unique_ptr<RecordSource> chain(std::vector<std::unique_ptr<RecordSource>> sources) {
  return std::make_unique<Chain>(std::move(sources));
}

}  // namespace bytecnn::cli
