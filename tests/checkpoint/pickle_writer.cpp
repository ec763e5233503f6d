#include "pickle_writer.hpp"

#include <bit>

#include <gtest/gtest.h>

namespace bytecnn::exporter::test {

std::string little_endian(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

PickleWriter::PickleWriter(int protocol) : out_("\x80") {
  out_ += static_cast<char>(protocol);
}

PickleWriter& PickleWriter::raw(std::string_view opcodes) {
  out_ += opcodes;
  return *this;
}

PickleWriter& PickleWriter::global(std::string_view module, std::string_view name) {
  out_ += 'c';
  out_ += module;
  out_ += '\n';
  out_ += name;
  out_ += '\n';
  return *this;
}

PickleWriter& PickleWriter::stack_global(std::string_view module, std::string_view name) {
  for (const std::string_view part : {module, name}) {
    out_ += '\x8c';
    out_ += static_cast<char>(part.size());
    out_ += part;
  }
  return raw("\x93");
}

PickleWriter& PickleWriter::text(std::string_view value) {
  out_ += 'X';
  out_ += little_endian(value.size(), 4);
  out_ += value;
  return *this;
}

PickleWriter& PickleWriter::bytes(std::string_view value) {
  out_ += 'B';
  out_ += little_endian(value.size(), 4);
  out_ += value;
  return *this;
}

PickleWriter& PickleWriter::integer(std::int64_t value) {
  if (value >= 0 && value < 256) {
    out_ += 'K';
    out_ += static_cast<char>(value);
  } else {
    out_ += "\x8a\x08";
    out_ += little_endian(static_cast<std::uint64_t>(value), 8);
  }
  return *this;
}

PickleWriter& PickleWriter::real(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  out_ += 'G';
  for (std::size_t i = 8; i-- > 0;) out_ += static_cast<char>(bits >> (8 * i) & 0xff);
  return *this;
}

PickleWriter& PickleWriter::put(std::uint8_t slot) {
  out_ += 'q';
  out_ += static_cast<char>(slot);
  return *this;
}

PickleWriter& PickleWriter::get(std::uint8_t slot) {
  out_ += 'h';
  out_ += static_cast<char>(slot);
  return *this;
}

PickleWriter& PickleWriter::integers(const std::vector<std::int64_t>& values) {
  mark();
  for (const std::int64_t value : values) integer(value);
  return tuple();
}

PickleWriter& PickleWriter::ordered_dict() {
  return global("collections", "OrderedDict").empty_tuple().reduce();
}

PickleWriter& PickleWriter::tensor(const TensorSpec& spec) {
  global("torch._utils", spec.function).mark();
  mark().text("storage").global("torch", spec.storage_class).text(spec.key).text(spec.location).integer(spec.elements);
  tuple().raw("Q");
  integer(spec.offset).integers(spec.sizes).integers(spec.strides).boolean(false).ordered_dict();
  return tuple().reduce();
}

PickleWriter& PickleWriter::entry(std::string_view name, std::string_view key, const std::vector<std::int64_t>& sizes) {
  TensorSpec spec;
  spec.key = key;
  spec.sizes = sizes;
  spec.strides.assign(sizes.size(), 1);
  for (std::size_t i = sizes.size(); i-- > 1;) spec.strides[i - 1] = spec.strides[i] * sizes[i];
  spec.elements = sizes.empty() ? 1 : spec.strides[0] * sizes[0];
  return text(name).tensor(spec);
}

PickleWriter& PickleWriter::module(std::string_view in, std::string_view class_name,
                                   const std::function<void()>& attributes, const std::function<void()>& parameters,
                                   const std::function<void()>& buffers, const std::function<void()>& modules) {
  global(in, class_name).empty_tuple().new_object().empty_dict().mark();
  text("training").boolean(true);
  const auto part = [&](const char* name, const std::function<void()>& content) {
    text(name).ordered_dict().mark();
    if (content) content();
    set_items();
  };
  part("_parameters", parameters);
  part("_buffers", buffers);
  part("_modules", modules);
  if (attributes) attributes();
  return set_items().build();
}

std::string floats(std::size_t count, float first) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += little_endian(std::bit_cast<std::uint32_t>(first + static_cast<float>(i)), 4);
  }
  return out;
}

std::vector<std::byte> checkpoint_file(const std::string& pickle, const std::vector<std::string>& storages) {
  ArchiveWriter archive;
  archive.add("data.pkl", pickle);
  for (std::size_t i = 0; i < storages.size(); ++i) archive.add("data/" + std::to_string(i), storages[i]);
  return archive.add("version", "3\n").finish();
}

void write_small_state_dict(PickleWriter& pickle, const std::string& prefix) {
  pickle.ordered_dict().mark();
  pickle.entry(prefix + "embedding.weight", "0", {4, 2});
  pickle.entry(prefix + "conv1.weight", "1", {3, 2, 1});
  pickle.set_items();
}

std::vector<std::string> small_storages() {
  return {floats(8), floats(6, 100)};
}

std::vector<std::string> names_of(const Checkpoint& checkpoint) {
  std::vector<std::string> names;
  for (const NamedTensor& tensor : checkpoint.tensors) names.push_back(tensor.name);
  return names;
}

Error error_of(std::span<const std::byte> bytes, std::string_view key, const CheckpointLimits& limits) {
  try {
    (void)read_checkpoint(bytes, key, limits);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "the file was read";
  return {ErrorCode::usage, "no error"};
}

}  // namespace bytecnn::exporter::test
