#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/error.hpp"

#include "checkpoint/checkpoint.hpp"
#include "pickle_writer.hpp"

namespace bytecnn::exporter::test {
namespace {

using Bytes = std::vector<std::byte>;

std::string small_pickle() {
  PickleWriter pickle;
  write_small_state_dict(pickle);
  return pickle.finish();
}

void add_small_checkpoint(ArchiveWriter& archive) {
  archive.add("data.pkl", small_pickle()).add("data/0", floats(8)).add("data/1", floats(6)).add("version", "3\n");
}

Bytes small_file(const std::function<void(ArchiveWriter&)>& change = {}) {
  ArchiveWriter archive;
  add_small_checkpoint(archive);
  if (change) change(archive);
  return archive.finish();
}

TEST(Zip, DeflatedEntriesAreRead) {
  ArchiveWriter archive;
  archive.deflated();
  add_small_checkpoint(archive);
  EXPECT_EQ(read_checkpoint(archive.finish()).tensors[0].tensor.to_doubles()[7], 7);
}

TEST(Zip, Zip64RecordsAreRead) {
  ArchiveWriter archive;
  archive.add("data.pkl", small_pickle(), {.zip64 = true}).add("data/0", floats(8), {.zip64 = true});
  archive.add("data/1", floats(6)).add("version", "3\n");
  EXPECT_EQ(names_of(read_checkpoint(archive.finish_zip64())).size(), 2U);
  EXPECT_EQ(names_of(read_checkpoint(archive.finish())).size(), 2U);
}

TEST(Zip, ACommentAndFoldersDoNoHarm) {
  ArchiveWriter archive;
  add_small_checkpoint(archive);
  archive.add("", "").add("data/", "").add(".format_version", "1").add(".data/serialization_id", "123");
  EXPECT_EQ(names_of(read_checkpoint(archive.finish("a comment PK\x05\x06 within"))).size(), 2U);
}

TEST(Zip, AnArchiveWithoutChecksumsIsReadWithAWarning) {
  ArchiveWriter archive;
  archive.without_checksums();
  add_small_checkpoint(archive);
  const Checkpoint checkpoint = read_checkpoint(archive.finish());
  ASSERT_EQ(checkpoint.warnings.size(), 1U);
  EXPECT_NE(checkpoint.warnings[0].find("without checksums"), std::string::npos);
}

TEST(Zip, ADamagedEntryIsFoundEvenIfNobodyReadsIt) {
  const auto damaged = [](const std::string& name, bool deflate) {
    return small_file(
        [&](ArchiveWriter& archive) { archive.add(name, "some data", {.deflate = deflate, .crc = 12345}); });
  };
  const Error error = error_of(damaged("data/99", false));
  EXPECT_EQ(error.code(), ErrorCode::invalid);
  EXPECT_EQ(error.where(), "zip entry 'archive/data/99'");
  ArchiveWriter archive;
  archive.add("data.pkl", small_pickle())
      .add("data/0", floats(8), {.deflate = true, .crc = 1})
      .add("data/1", floats(6));
  EXPECT_NE(error_of(archive.finish()).message().find("CRC-32"), std::string::npos);
}

TEST(Zip, EveryTruncationIsAnError) {
  const Bytes whole = small_file();
  ASSERT_EQ(read_checkpoint(whole).tensors.size(), 2U);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    (void)error_of(std::span(whole).first(size));
  }
}

TEST(Zip, AFlippedBitIsAnErrorOrHarmless) {
  // Checksums cover the data; the rest is structure. What may change without notice are times, versions and attributes.
  const Bytes whole = small_file();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const unsigned bit : {0U, 3U, 7U}) {
      Bytes changed = whole;
      changed[i] ^= static_cast<std::byte>(1U << bit);
      try {
        const Checkpoint checkpoint = read_checkpoint(changed);
        EXPECT_EQ(checkpoint.tensors.at(0).tensor.to_doubles(), (std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7}));
      } catch (const Error&) {
      }
    }
  }
}

TEST(Zip, LiesOfTheDirectoryAreRefused) {
  const std::vector<std::function<void(ArchiveWriter&)>> lies{
      [](ArchiveWriter& archive) { archive.add("data/9", "abc", {.stated_size = 2'000'000'000}); },
      [](ArchiveWriter& archive) { archive.add("data/9", "abc", {.stated_packed_size = 2'000'000'000}); },
      [](ArchiveWriter& archive) { archive.add("data/9", "abc", {.encrypted = true}); },
      [](ArchiveWriter& archive) { archive.add("data/9", "abc", {.method = 12}); },
      [](ArchiveWriter& archive) { archive.add("data/9", "abc", {.local_name = "archive/data/8"}); },
      [](ArchiveWriter& archive) { archive.add("data/0", "abc"); },
      [](ArchiveWriter& archive) { archive.add("data/9", "abc").alias("data/10"); },
      [](ArchiveWriter& archive) { archive.add("../../evil", "abc"); },
      [](ArchiveWriter& archive) { archive.add("a\\b", "abc"); },
      [](ArchiveWriter& archive) { archive.add("a\nb", "abc"); },
      [](ArchiveWriter& archive) { archive.add(std::string(2000, 'a'), "abc"); },
  };
  for (std::size_t i = 0; i < lies.size(); ++i) {
    EXPECT_NE(error_of(small_file(lies[i])).code(), ErrorCode::usage) << i;
  }
  ArchiveWriter absolute("/");
  add_small_checkpoint(absolute);
  EXPECT_EQ(error_of(absolute.finish()).code(), ErrorCode::invalid);
}

TEST(Zip, DeflateDataThatUnpacksToAnotherSizeIsRefused) {
  for (const std::int64_t size : {31, 33, 5'000'000}) {
    ArchiveWriter archive;
    archive.add("data.pkl", small_pickle()).add("data/0", floats(8), {.deflate = true, .stated_size = size});
    archive.add("data/1", floats(6));
    (void)error_of(archive.finish());
  }
}

TEST(Zip, ABombIsNotUnpacked) {
  PickleWriter pickle;
  const std::int64_t elements = 16 << 20;
  pickle.ordered_dict().mark().entry("embedding.weight", "0", {elements / 2, 2}).entry("conv1.weight", "1", {3, 2, 1});
  pickle.set_items();
  ArchiveWriter archive;
  archive.add("data.pkl", pickle.finish())
      .add("data/0", std::string(static_cast<std::size_t>(elements) * 4, '\0'), {.deflate = true});
  archive.add("data/1", floats(6));
  EXPECT_EQ(error_of(archive.finish()).code(), ErrorCode::limit);
}

TEST(Zip, APickleThatUnpacksToTooMuchIsNotUnpacked) {
  ArchiveWriter archive;
  archive.add("data.pkl", "\x80\x02" + std::string(40U << 20U, ']'), {.deflate = true});
  EXPECT_EQ(error_of(archive.finish()).code(), ErrorCode::limit);
}

TEST(Zip, LimitsOnEntriesSizeAndFile) {
  CheckpointLimits few_entries, small_unpacked, small_input;
  few_entries.max_entries = 3;
  small_unpacked.max_unpacked_bytes = 50;
  small_input.max_file_bytes = 100;
  for (const CheckpointLimits& limits : {few_entries, small_unpacked, small_input}) {
    EXPECT_EQ(error_of(small_file(), {}, limits).code(), ErrorCode::limit);
  }
}

TEST(Zip, UnknownVersionsOfTheArchiveAreUnsupported) {
  for (const char* version : {"999", "0", "-1", "three"}) {
    ArchiveWriter archive;
    archive.add("data.pkl", small_pickle()).add("data/0", floats(8)).add("data/1", floats(6)).add("version", version);
    EXPECT_EQ(error_of(archive.finish()).code(), ErrorCode::unsupported) << version;
  }
}

TEST(Zip, ArchivesOfOtherKindsAreNamed) {
  const auto message = [](const ArchiveWriter& archive) { return std::string(error_of(archive.finish()).what()); };
  EXPECT_NE(message(ArchiveWriter("").add("arr_0.npy", "x")).find(".npz"), std::string::npos);
  EXPECT_NE(message(ArchiveWriter("").add("serialized_exported_program.json", "{}")).find(".pt2"), std::string::npos);
  EXPECT_NE(message(ArchiveWriter("m/").add("archive_format", "pt2")).find(".pt2"), std::string::npos);
  EXPECT_NE(message(ArchiveWriter("").add("word/document.xml", "x")).find("not a PyTorch checkpoint"),
            std::string::npos);
  ArchiveWriter two("");
  two.add("a/data.pkl", small_pickle()).add("b/data.pkl", small_pickle());
  EXPECT_EQ(error_of(two.finish()).code(), ErrorCode::ambiguous);
  EXPECT_EQ(error_of(ArchiveWriter().finish()).code(), ErrorCode::syntax);
}

}  // namespace
}  // namespace bytecnn::exporter::test
