/// Records that end in a newline or a NUL byte, found in place in one buffer that never grows.
///
///   buffer_   [ handed out in the last block | begin_ ... records ... end_ | free ]
///
/// A record longer than the limit keeps its first bytes; what follows is dropped while it is read, so memory is bounded
/// by the buffer whatever the stream holds.

#include <algorithm>
#include <cstring>
#include <utility>

#include "input_file.hpp"
#include "record_source.hpp"

namespace bytecnn::cli {
namespace {

constexpr std::size_t read_bytes = std::size_t{1} << 20U;
constexpr std::size_t max_block_records = std::size_t{1} << 15U;

class DelimitedSource final : public RecordSource {
 public:
  DelimitedSource(const std::string& path, char delimiter, std::string id_prefix, InputLimit limit)
      : file_(path), delimiter_(delimiter), id_prefix_(std::move(id_prefix)), path_(path), limit_(limit) {}

  bool next(Block& block) override {
    block.clear();
    for (;;) {
      take_complete_records(block);
      if (!block.empty()) return true;
      if (at_end_) return take_rest(block);
      make_room();
      read_more();
    }
  }

 private:
  void take_complete_records(Block& block) {
    while (block.size() < max_block_records && searched_ < end_) {
      const void* found = std::memchr(&buffer_[searched_], delimiter_, end_ - searched_);
      if (found == nullptr) {
        searched_ = end_;
        return;
      }
      const auto stop = static_cast<std::size_t>(static_cast<const std::byte*>(found) - buffer_.data());
      add_record(block, stop);
      begin_ = searched_ = stop + 1;
    }
  }

  /// At the end of the file: a last record without its delimiter, and the error that ended it.
  bool take_rest(Block& block) {
    if (begin_ < end_ || dropped_) {
      add_record(block, end_);
      begin_ = searched_ = end_;
    }
    if (!file_.error().empty() && !error_told_) {
      Record& record = block.emplace_back();
      record.id.text = path_;
      record.error = file_.error();
      error_told_ = true;
    }
    return !block.empty();
  }

  void add_record(Block& block, std::size_t stop) {
    ++number_;
    Record& record = block.emplace_back();
    record.id.text = id_prefix_.empty() ? std::to_string(number_) : id_prefix_ + ":" + std::to_string(number_);
    record.id.is_json = id_prefix_.empty();
    const std::size_t length = stop - begin_;
    if ((dropped_ || length > limit_.bytes) && limit_.longer_is_error) {
      record.error = "the record is longer than " + std::to_string(limit_.bytes) + " bytes";
    } else {
      record.bytes = std::span(buffer_).subspan(begin_, std::min(length, limit_.bytes));
    }
    dropped_ = false;
  }

  /// Moves the unfinished record to the front; of one that is already too long only the limit and one byte stay.
  void make_room() {
    std::size_t length = end_ - begin_;
    if (length > limit_.bytes) {
      length = limit_.bytes;
      dropped_ = true;
    }
    if (begin_ != 0 && length != 0) std::memmove(buffer_.data(), &buffer_[begin_], length);
    begin_ = 0;
    end_ = searched_ = length;
    if (buffer_.size() < end_ + read_bytes) buffer_.resize(std::max(end_ + read_bytes, 2 * end_));
  }

  /// Waits for the first byte only: a pipe hands over little at a time, and larger blocks spread better over threads.
  void read_more() {
    const std::size_t full = end_ + read_bytes;
    do {
      const std::size_t count = file_.read_some(std::span(buffer_).subspan(end_, full - end_));
      at_end_ = count == 0;
      end_ += count;
    } while (!at_end_ && end_ < full && file_.has_more_at_hand());
  }

  InputFile file_;
  char delimiter_;
  std::string id_prefix_;
  std::string path_;
  InputLimit limit_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;     ///< first byte of the unfinished record
  std::size_t searched_ = 0;  ///< no delimiter before this one
  std::size_t end_ = 0;       ///< end of what was read
  std::uint64_t number_ = 0;
  bool dropped_ = false;  ///< the unfinished record lost bytes beyond the limit
  bool at_end_ = false;
  bool error_told_ = false;
};

}  // namespace

std::unique_ptr<RecordSource> delimited_source(const std::string& path, char delimiter, const std::string& id_prefix,
                                               InputLimit limit) {
  return std::make_unique<DelimitedSource>(path, delimiter, id_prefix, limit);
}

}  // namespace bytecnn::cli
