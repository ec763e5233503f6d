/// Records that end in a newline or a NUL byte, found in place in the block's own buffer.
///
///   buffer   [ rest of the last block | begin_ ... records ... end_ | free ]
///
/// What follows the last whole record is carried over to the next block. A record longer than the limit keeps its first
/// bytes; what follows is dropped while it is read, so memory is bounded whatever the stream holds.

#include <algorithm>
#include <cstring>
#include <utility>

#include "input_file.hpp"
#include "record_source.hpp"
#include "stop_request.hpp"

namespace bytecnn::cli {
namespace {

Contents contents_of(Framing framing) {
  if (framing == Framing::jsonl) return Contents::json_lines;
  return framing == Framing::tsv ? Contents::tsv_lines : Contents::ready;
}

class DelimitedSource final : public RecordSource {
 public:
  DelimitedSource(const std::string& path, Framing framing, std::string name_prefix, const Reading& reading)
      : file_(path),
        delimiter_(framing == Framing::nul ? '\0' : '\n'),
        contents_(contents_of(framing)),
        name_prefix_(std::move(name_prefix)),
        path_(path),
        limit_(reading.limit),
        size_(reading.size),
        bytes_read_(reading.bytes_read) {}

  bool next(Block& block) override {
    block.clear();
    block.contents = contents_;
    block.name_prefix = name_prefix_;
    take_over_rest(block);
    bool found = take_complete_records(block);
    while (!found && !at_end_) {
      make_room(block.buffer);
      read_more(block.buffer);
      found = take_complete_records(block);
    }
    // An unfinished record is none where the work was interrupted.
    if (!found && !stop_requested()) found = take_last(block);
    rest_.assign(block.buffer.data() + begin_, block.buffer.data() + end_);
    return found;
  }

 private:
  void take_over_rest(Block& block) {
    const std::size_t wanted = rest_.size() + size_.read_bytes;
    // Memory that one very long record needed is given back.
    if (block.buffer.size() < wanted || block.buffer.size() / 4 > wanted)
      std::vector<std::byte>(wanted).swap(block.buffer);
    std::ranges::copy(rest_, block.buffer.begin());
    begin_ = searched_ = 0;
    end_ = rest_.size();
  }

  bool take_complete_records(Block& block) {
    const std::byte* const bytes = block.buffer.data();
    auto& records = block.records;
    records.reserve(size_.records);
    while (records.size() < size_.records && searched_ < end_) {
      const void* found = std::memchr(bytes + searched_, delimiter_, end_ - searched_);
      if (found == nullptr) {
        searched_ = end_;
        break;
      }
      const auto stop = static_cast<std::size_t>(static_cast<const std::byte*>(found) - bytes);
      // This is the loop that runs for every line of a large file: what is rare stands in a function of its own.
      if (stop - begin_ <= limit_.bytes && !dropped_) {
        records.push_back({{bytes + begin_, stop - begin_}, ++number_});
      } else {
        add_record(block, stop);
      }
      begin_ = searched_ = stop + 1;
    }
    return !records.empty();
  }

  /// At the end of the file: a last record without its delimiter, and the error that ended it.
  bool take_last(Block& block) {
    if (begin_ < end_ || dropped_) {
      add_record(block, end_);
      begin_ = searched_ = end_;
    }
    if (!file_.error().empty() && !error_told_) {
      Record& record = block.records.emplace_back();
      block.fail(record, file_.error());
      block.remark_on(record).name = RecordName{path_, false};
      error_told_ = true;
    }
    return !block.records.empty();
  }

  void add_record(Block& block, std::size_t stop) {
    const std::size_t length = stop - begin_;
    Record& record = block.records.emplace_back();
    record.number = ++number_;
    record.bytes = std::span(block.buffer).subspan(begin_, std::min(length, limit_.bytes));
    if ((dropped_ || length > limit_.bytes) && limit_.longer_is_error) {
      block.fail(record, "the record is longer than " + std::to_string(limit_.bytes) + " bytes");
    }
    dropped_ = false;
  }

  /// There is no whole record in `buffer`; of one that is already too long only the limit stays.
  void make_room(std::vector<std::byte>& buffer) {
    if (end_ > limit_.bytes) {
      end_ = searched_ = limit_.bytes;
      dropped_ = true;
    }
    if (buffer.size() < end_ + size_.read_bytes) buffer.resize(std::max(end_ + size_.read_bytes, 2 * end_));
  }

  /// Waits for the first byte only: a pipe hands over little at a time, and larger blocks are less work.
  void read_more(std::vector<std::byte>& buffer) {
    const std::size_t full = end_ + size_.read_bytes;
    do {
      const std::size_t count = file_.read_some(std::span(buffer).subspan(end_, full - end_));
      at_end_ = count == 0;
      end_ += count;
      bytes_read_.fetch_add(count, std::memory_order_relaxed);
    } while (!at_end_ && end_ < full && file_.has_more_at_hand());
  }

  InputFile file_;
  char delimiter_;
  Contents contents_;
  std::string name_prefix_;
  std::string path_;
  InputLimit limit_;
  BlockSize size_;
  std::atomic<std::uint64_t>& bytes_read_;
  std::vector<std::byte> rest_;  ///< what the last block left over
  // Within the buffer of the block that is being filled:
  std::size_t begin_ = 0;     ///< first byte of the unfinished record
  std::size_t searched_ = 0;  ///< no delimiter before this one
  std::size_t end_ = 0;       ///< end of what was read
  std::uint64_t number_ = 0;
  bool dropped_ = false;  ///< the unfinished record lost bytes beyond the limit
  bool at_end_ = false;
  bool error_told_ = false;
};

}  // namespace

std::unique_ptr<RecordSource> delimited_source(const std::string& path, Framing framing, const std::string& name_prefix,
                                               const Reading& reading) {
  return std::make_unique<DelimitedSource>(path, framing, name_prefix, reading);
}

}  // namespace bytecnn::cli
