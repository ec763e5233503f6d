#include "checkpoint/safetensors.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "checkpoint/name_prefix.hpp"
#include "checkpoint/printable.hpp"

namespace bytecnn::exporter {
namespace {

constexpr std::uint64_t max_header = 16U << 20U;
constexpr std::size_t max_tensors = 65536;
constexpr std::size_t max_text = 8U << 20U;
constexpr std::size_t max_hints = 512;
constexpr std::size_t header_length_size = 8;

struct Entry {
  std::string name;
  std::string dtype;
  std::vector<std::uint64_t> shape;
  std::vector<std::uint64_t> offsets;
  bool has_shape = false;
};

/// Takes the header event by event, so that a header of any shape costs no more memory than the tensors that it names.
/// Everything but {"name": {"dtype": text, "shape": [sizes], "data_offsets": [begin, end]}} stops it.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<Entry> entries;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string problem;

  bool start_object(std::size_t /*elements*/) override {
    ++depth_;
    if (depth_ > 2 || in_array_) return stop("nested too deeply");
    return true;
  }
  bool end_object() override {
    --depth_;
    in_metadata_ = false;
    return true;
  }
  bool key(string_t& text) override {
    text_ += text.size();
    if (text_ > max_text) return stop("names are too long");
    if (depth_ == 1) {
      in_metadata_ = text == "__metadata__";
      if (in_metadata_) return true;
      if (entries.size() >= max_tensors) return stop("too many tensors");
      if (!names_.insert(text).second) return stop("two tensors have the name '" + printable(text) + "'");
      entries.push_back({text, {}, {}, {}, false});
      field_.clear();
      return true;
    }
    field_ = text;
    if (in_metadata_ || field_ == "dtype" || field_ == "shape" || field_ == "data_offsets") return true;
    return stop("unknown field '" + printable(text) + "'");
  }
  bool start_array(std::size_t /*elements*/) override {
    if (depth_ != 2 || in_array_ || in_metadata_ || (field_ != "shape" && field_ != "data_offsets")) {
      return stop("a list where none belongs");
    }
    std::vector<std::uint64_t>& numbers = field_ == "shape" ? entries.back().shape : entries.back().offsets;
    if (!numbers.empty() || (field_ == "shape" && entries.back().has_shape)) return stop("a field stands there twice");
    if (field_ == "shape") entries.back().has_shape = true;
    in_array_ = true;
    return true;
  }
  bool end_array() override {
    in_array_ = false;
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (!in_array_) return stop("a number where none belongs");
    std::vector<std::uint64_t>& numbers = field_ == "shape" ? entries.back().shape : entries.back().offsets;
    if (numbers.size() >= 64) return stop("too many dimensions");
    numbers.push_back(value);
    return true;
  }
  bool string(string_t& text) override {
    text_ += text.size();
    if (text_ > max_text) return stop("texts are too long");
    if (depth_ != 2 || in_array_) return stop("a text where none belongs");
    if (in_metadata_) {
      if (metadata.size() < max_hints && text.size() <= 200) metadata.emplace_back(printable(field_, 200), text);
      return true;
    }
    if (field_ != "dtype" || !entries.back().dtype.empty()) return stop("a text where none belongs");
    entries.back().dtype = text;
    return true;
  }
  bool null() override { return stop("null where a value belongs"); }
  bool boolean(bool /*value*/) override { return stop("a boolean where none belongs"); }
  bool number_integer(number_integer_t /*value*/) override { return stop("a negative number"); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return stop("a fraction"); }
  bool binary(binary_t& /*value*/) override { return stop("binary data"); }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::json::exception& /*error*/) override {
    return stop("not well-formed JSON at byte " + std::to_string(position));
  }

 private:
  bool stop(std::string why) {
    problem = std::move(why);
    return false;
  }

  int depth_ = 0;
  bool in_array_ = false;
  bool in_metadata_ = false;
  std::string field_;
  std::set<std::string> names_;
  std::size_t text_ = 0;
};

struct ElementType {
  std::optional<DType> dtype;
  std::uint64_t bits = 0;
};

ElementType element_type(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, DType>, 10> read{{{"F16", DType::f16},
                                                                            {"BF16", DType::bf16},
                                                                            {"F32", DType::f32},
                                                                            {"F64", DType::f64},
                                                                            {"I8", DType::i8},
                                                                            {"I16", DType::i16},
                                                                            {"I32", DType::i32},
                                                                            {"I64", DType::i64},
                                                                            {"U8", DType::u8},
                                                                            {"BOOL", DType::boolean}}};
  for (const auto& [code, dtype] : read) {
    if (name == code) return {dtype, 8 * element_size(dtype)};
  }
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 7> known{
      {{"U16", 16}, {"U32", 32}, {"U64", 64}, {"F8_E4M3", 8}, {"F8_E5M2", 8}, {"C64", 64}, {"F8_E8M0", 8}}};
  for (const auto& [code, bits] : known) {
    if (name == code) return {std::nullopt, bits};
  }
  return {};
}

HeaderReader parse_header(ByteSpan bytes, std::uint64_t length) {
  const std::string_view header = as_text(bytes.subspan(header_length_size, static_cast<std::size_t>(length)));
  HeaderReader reader;
  const bool complete = nlohmann::json::sax_parse(header.begin(), header.end(), &reader);
  if (!complete || header.empty() || header.front() != '{') {
    throw Error(ErrorCode::syntax, reader.problem.empty() ? "not a JSON object" : reader.problem, "safetensors header");
  }
  return reader;
}

/// Every byte behind the header belongs to exactly one tensor (the format's own rule).
void check_layout(const std::vector<Entry>& entries, std::uint64_t size) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  ranges.reserve(entries.size());
  for (const Entry& entry : entries) {
    if (entry.offsets.size() != 2 || entry.offsets[0] > entry.offsets[1] || entry.offsets[1] > size) {
      throw Error(ErrorCode::invalid, "its data lies outside the file", "tensor '" + printable(entry.name) + "'",
                  "data_offsets up to " + std::to_string(size));
    }
    ranges.emplace_back(entry.offsets[0], entry.offsets[1]);
  }
  std::sort(ranges.begin(), ranges.end());
  std::uint64_t end = 0;
  for (const auto& range : ranges) {
    if (range.first != end) throw Error(ErrorCode::invalid, "tensors overlap or leave a gap", "safetensors header");
    end = range.second;
  }
  if (end != size) {
    throw Error(ErrorCode::invalid, "the file is longer than its tensors", "safetensors header",
                std::to_string(end) + " bytes", std::to_string(size));
  }
}

NamedTensor read_tensor(const Entry& entry, ByteSpan data, const CheckpointLimits& limits, std::int64_t& in_all) {
  const std::string where = "tensor '" + printable(entry.name) + "'";
  NamedTensor result;
  result.name = entry.name;
  const ElementType type = element_type(entry.dtype);
  if (!entry.has_shape || entry.dtype.empty()) throw Error(ErrorCode::invalid, "it has no shape or no type", where);
  if (entry.shape.size() > limits.max_rank) {
    throw Error(ErrorCode::limit, "too many dimensions", where, "at most " + std::to_string(limits.max_rank));
  }
  std::int64_t elements = 1;
  for (const std::uint64_t size : entry.shape) {
    if (size > static_cast<std::uint64_t>(limits.max_elements) ||
        !multiply(elements, static_cast<std::int64_t>(size), elements)) {
      throw Error(ErrorCode::limit, "too many elements", where, "at most " + std::to_string(limits.max_elements));
    }
  }
  if (elements > limits.max_elements - in_all) {
    throw Error(ErrorCode::limit, "too many elements", where,
                "at most " + std::to_string(limits.max_elements) + " in all");
  }
  in_all += elements;
  const std::uint64_t stored = entry.offsets[1] - entry.offsets[0];
  if (!type.dtype) {
    result.unreadable = "its type " + printable(entry.dtype, 20) + " is not a plain number";
    return result;
  }
  if (stored != static_cast<std::uint64_t>(elements) * element_size(*type.dtype)) {
    throw Error(ErrorCode::invalid, "shape and data do not agree", where,
                std::to_string(static_cast<std::uint64_t>(elements) * element_size(*type.dtype)) + " bytes",
                std::to_string(stored));
  }
  const ByteSpan bytes = data.subspan(static_cast<std::size_t>(entry.offsets[0]), static_cast<std::size_t>(stored));
  result.tensor.dtype = *type.dtype;
  for (const std::uint64_t size : entry.shape) result.tensor.shape.push_back(static_cast<std::int64_t>(size));
  result.tensor.data.assign(bytes.begin(), bytes.end());
  if constexpr (std::endian::native == std::endian::big) {  // the format is little-endian
    const std::size_t size = element_size(*type.dtype);
    for (std::size_t i = 0; i + size <= result.tensor.data.size(); i += size) {
      const auto first = result.tensor.data.begin() + static_cast<std::ptrdiff_t>(i);
      std::reverse(first, first + static_cast<std::ptrdiff_t>(size));
    }
  }
  return result;
}

}  // namespace

bool looks_like_safetensors(ByteSpan bytes) noexcept {
  return bytes.size() > header_length_size && static_cast<char>(bytes[header_length_size]) == '{';
}

Checkpoint read_safetensors(ByteSpan bytes, std::string_view key, const CheckpointLimits& limits) {
  const auto length = load_little_endian<std::uint64_t>(bytes.data());
  if (length > bytes.size() - header_length_size) {
    throw Error(ErrorCode::syntax, "the header is longer than the file: truncated, or not safetensors",
                "safetensors header", "at most " + std::to_string(bytes.size() - header_length_size) + " bytes",
                std::to_string(length));
  }
  if (length > max_header) throw Error(ErrorCode::limit, "the header is too large", "safetensors header");
  HeaderReader header = parse_header(bytes, length);
  const ByteSpan data = bytes.subspan(header_length_size + static_cast<std::size_t>(length));
  check_layout(header.entries, data.size());

  Checkpoint checkpoint;
  checkpoint.container = "safetensors";
  checkpoint.form = "state_dict";
  checkpoint.candidates = {"."};
  checkpoint.hints = std::move(header.metadata);
  // By name in the header, by place in the file: the latter is the order in which they were written.
  std::stable_sort(header.entries.begin(), header.entries.end(), [](const Entry& a, const Entry& b) {
    return a.offsets[0] != b.offsets[0] ? a.offsets[0] < b.offsets[0] : a.offsets[1] < b.offsets[1];
  });
  if (!key.empty() && key != ".") {
    const std::string wanted = std::string(key) + ".";
    std::erase_if(header.entries, [&](const Entry& entry) {
      if (entry.name.starts_with(wanted)) return false;
      checkpoint.ignored.push_back(entry.name);
      return true;
    });
    if (header.entries.empty()) {
      throw Error(ErrorCode::invalid, "no tensor's name begins with '" + printable(wanted) + "'");
    }
    checkpoint.key = key;
  }
  if (header.entries.empty()) throw Error(ErrorCode::invalid, "the file holds no tensors");
  std::vector<NameAndRank> names;
  for (const Entry& entry : header.entries) {
    if (!is_clean_utf8(entry.name) || entry.name.empty()) {
      throw Error(ErrorCode::invalid, "a tensor's name is not plain text: '" + printable(entry.name) + "'");
    }
    names.push_back({entry.name, entry.shape.size()});
  }
  refuse_rival_models(names);
  const NamePrefix prefix = find_prefix(names);
  checkpoint.prefix = prefix.prefix;
  std::int64_t elements = 0;
  for (std::size_t i = 0; i < header.entries.size(); ++i) {
    if (!prefix.inside[i]) {
      checkpoint.ignored.push_back(header.entries[i].name);
      continue;
    }
    NamedTensor tensor = read_tensor(header.entries[i], data, limits, elements);
    tensor.name = tensor.name.substr(prefix.prefix.size());
    checkpoint.tensors.push_back(std::move(tensor));
  }
  return checkpoint;
}

}  // namespace bytecnn::exporter
