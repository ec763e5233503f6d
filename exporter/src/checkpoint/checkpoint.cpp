#include "checkpoint/checkpoint.hpp"

#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/byte_reader.hpp"
#include "checkpoint/foreign_files.hpp"
#include "checkpoint/legacy_container.hpp"
#include "checkpoint/safetensors.hpp"
#include "checkpoint/torch_zip.hpp"

namespace bytecnn::exporter {
namespace {

template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

double from_half(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int mantissa = bits & 1023;
  double value = 0;
  if (exponent == 0) {
    value = std::ldexp(mantissa, -24);
  } else if (exponent == 31) {
    value = mantissa == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  } else {
    value = std::ldexp(mantissa + 1024, exponent - 25);
  }
  return (bits & 0x8000U) != 0 ? -value : value;
}

double from_bfloat(std::uint16_t bits) {
  return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U));
}

double element(DType dtype, const std::byte* from) {
  switch (dtype) {
    case DType::f16:
      return from_half(load<std::uint16_t>(from));
    case DType::bf16:
      return from_bfloat(load<std::uint16_t>(from));
    case DType::f32:
      return static_cast<double>(load<float>(from));
    case DType::f64:
      return load<double>(from);
    case DType::i8:
      return load<std::int8_t>(from);
    case DType::i16:
      return load<std::int16_t>(from);
    case DType::i32:
      return load<std::int32_t>(from);
    case DType::i64:
      return static_cast<double>(load<std::int64_t>(from));
    case DType::u8:
    case DType::boolean:
      return load<std::uint8_t>(from);
  }
  return 0;
}

/// A file's bytes: mapped where it is a regular file, else (a pipe) read.
class FileBytes {
 public:
  FileBytes(const std::string& path, std::uint64_t limit) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) throw system_error("cannot be opened");
    struct Closer {
      int file;
      ~Closer() { ::close(file); }
    } closer{file};
    struct stat status {};
    if (::fstat(file, &status) != 0) throw system_error("cannot be examined");
    if (S_ISDIR(status.st_mode)) throw Error(ErrorCode::io, "this is a directory; name the checkpoint file in it");
    if (S_ISREG(status.st_mode)) {
      map(file, static_cast<std::uint64_t>(status.st_size), limit);
    } else {
      read_stream(file, limit);
    }
  }
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;
  ~FileBytes() {
    if (mapping_ != nullptr) ::munmap(mapping_, size_);
  }

  [[nodiscard]] ByteSpan bytes() const noexcept {
    return mapping_ != nullptr ? ByteSpan(static_cast<const std::byte*>(mapping_), size_) : ByteSpan(copy_);
  }

 private:
  static Error system_error(const char* what) {
    return {ErrorCode::io, std::string(what) + ": " + std::strerror(errno)};
  }
  static Error too_large(std::uint64_t limit) {
    return {ErrorCode::limit, "the file is too large", {}, "at most " + std::to_string(limit) + " bytes"};
  }

  void map(int file, std::uint64_t size, std::uint64_t limit) {
    if (size > limit) throw too_large(limit);
    if (size == 0) return;  // mmap refuses empty files; the reader says what is wrong with them
    void* mapping = ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ, MAP_PRIVATE, file, 0);
    if (mapping == MAP_FAILED) throw system_error("cannot be mapped into memory");
    mapping_ = mapping;
    size_ = static_cast<std::size_t>(size);
  }

  void read_stream(int file, std::uint64_t limit) {
    std::vector<std::byte> buffer(65536);
    for (;;) {
      const ssize_t got = ::read(file, buffer.data(), buffer.size());
      if (got == 0) return;
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw system_error("cannot be read");
      if (copy_.size() + static_cast<std::size_t>(got) > limit) throw too_large(limit);
      copy_.insert(copy_.end(), buffer.begin(), buffer.begin() + got);
    }
  }

  void* mapping_ = nullptr;
  std::size_t size_ = 0;
  std::vector<std::byte> copy_;
};

Checkpoint dispatch(ByteSpan bytes, std::string_view key, const CheckpointLimits& limits) {
  if (bytes.size() > limits.max_file_bytes) {
    throw Error(ErrorCode::limit, "the file is too large", {},
                "at most " + std::to_string(limits.max_file_bytes) + " bytes");
  }
  const std::string_view text = as_text(bytes);
  if (text.starts_with("PK\x03\x04") || text.starts_with("PK\x05\x06")) return read_torch_zip(bytes, key, limits);
  const bool pickle = bytes.size() >= 2 && text[0] == '\x80' && text[1] >= 2 && text[1] <= 5;
  // A safetensors header of 640 (0x0280) bytes and the like begins as a pickle does; its ninth byte tells.
  if (pickle && !(looks_like_safetensors(bytes) && load_little_endian<std::uint64_t>(bytes.data()) < bytes.size())) {
    return read_legacy_container(bytes, key, limits);
  }
  if (looks_like_safetensors(bytes)) return read_safetensors(bytes, key, limits);
  refuse_foreign_file(bytes);
}

}  // namespace

std::string_view to_string(DType dtype) noexcept {
  switch (dtype) {
    case DType::f16:
      return "float16";
    case DType::bf16:
      return "bfloat16";
    case DType::f32:
      return "float32";
    case DType::f64:
      return "float64";
    case DType::i8:
      return "int8";
    case DType::i16:
      return "int16";
    case DType::i32:
      return "int32";
    case DType::i64:
      return "int64";
    case DType::u8:
      return "uint8";
    case DType::boolean:
      return "bool";
  }
  return "unknown";
}

std::size_t element_size(DType dtype) noexcept {
  switch (dtype) {
    case DType::i8:
    case DType::u8:
    case DType::boolean:
      return 1;
    case DType::f16:
    case DType::bf16:
    case DType::i16:
      return 2;
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::f64:
    case DType::i64:
      return 8;
  }
  return 1;
}

bool is_floating(DType dtype) noexcept {
  return dtype == DType::f16 || dtype == DType::bf16 || dtype == DType::f32 || dtype == DType::f64;
}

std::size_t Tensor::elements() const noexcept {
  return data.size() / element_size(dtype);
}

std::vector<double> Tensor::to_doubles() const {
  const std::size_t size = element_size(dtype);
  std::vector<double> values(elements());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = element(dtype, &data[i * size]);
  return values;
}

Checkpoint read_checkpoint(std::span<const std::byte> bytes, std::string_view key, const CheckpointLimits& limits) {
  try {
    return dispatch(bytes, key, limits);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::limit, "out of memory while reading the checkpoint");
  }
}

Checkpoint read_checkpoint_file(const std::string& path, std::string_view key, const CheckpointLimits& limits) {
  try {
    const FileBytes file(path, limits.max_file_bytes);
    return read_checkpoint(file.bytes(), key, limits);
  } catch (const Error& error) {
    throw error.at(path);
  }
}

}  // namespace bytecnn::exporter
