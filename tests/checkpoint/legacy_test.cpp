#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/error.hpp"

#include "checkpoint/checkpoint.hpp"
#include "pickle_writer.hpp"

namespace bytecnn::exporter::test {
namespace {

using namespace std::string_view_literals;

struct LegacyParts {
  std::string magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
  std::int64_t protocol = 1001;
  bool little_endian_machine = true;
  std::vector<std::string> keys{"0", "1"};
  std::vector<std::string> storages = small_storages();
  std::int64_t first_count = -1;  ///< -1: the true one
};

std::string legacy_text(const std::string& pickle, const LegacyParts& parts = {}) {
  std::string file = parts.magic;
  PickleWriter protocol;
  file += protocol.integer(parts.protocol).finish();
  PickleWriter system;
  system.empty_dict().mark().text("protocol_version").integer(1001).text("little_endian");
  file += system.boolean(parts.little_endian_machine).set_items().finish();
  file += pickle;
  PickleWriter keys;
  keys.empty_list().mark();
  for (const std::string& key : parts.keys) keys.text(key);
  file += keys.appends().finish();
  for (std::size_t i = 0; i < parts.storages.size(); ++i) {
    const auto count = static_cast<std::int64_t>(parts.storages[i].size() / 4);
    file += little_endian(static_cast<std::uint64_t>(i == 0 && parts.first_count >= 0 ? parts.first_count : count), 8);
    file += parts.storages[i];
  }
  return file;
}

std::string small_pickle() {
  PickleWriter pickle;
  write_small_state_dict(pickle);
  return pickle.finish();
}

TEST(Legacy, AStateDictIsRead) {
  const Checkpoint checkpoint = read_checkpoint(to_bytes(legacy_text(small_pickle())));
  EXPECT_EQ(checkpoint.container, "legacy");
  EXPECT_EQ(checkpoint.form, "state_dict");
  ASSERT_EQ(names_of(checkpoint), (std::vector<std::string>{"embedding.weight", "conv1.weight"}));
  EXPECT_EQ(checkpoint.tensors[1].tensor.to_doubles(), (std::vector<double>{100, 101, 102, 103, 104, 105}));
}

TEST(Legacy, StoragesAreLittleEndianOnEveryMachine) {
  LegacyParts parts;
  parts.little_endian_machine = false;
  const Checkpoint checkpoint = read_checkpoint(to_bytes(legacy_text(small_pickle(), parts)));
  EXPECT_EQ(checkpoint.tensors[1].tensor.to_doubles()[0], 100);
  EXPECT_EQ(checkpoint.warnings.size(), 1U);
}

TEST(Legacy, AStorageMayBeAWindowOfAnother) {
  // ("storage", class, root key, location, size of the root, (view key, offset, size))
  const auto file = [](std::int64_t offset, std::int64_t size) {
    PickleWriter pickle;
    pickle.ordered_dict().mark().text("w").global("torch._utils", "_rebuild_tensor_v2").mark();
    pickle.mark().text("storage").global("torch", "FloatStorage").text("0").text("cpu").integer(8);
    pickle.mark().text("v").integer(offset).integer(size).tuple().tuple().raw("Q");
    pickle.integer(1).integers({2}).integers({1}).boolean(false).ordered_dict().tuple().reduce();
    pickle.entry("conv1.weight", "1", {3, 2, 1}).set_items();
    return to_bytes(legacy_text(pickle.finish()));
  };
  EXPECT_EQ(read_checkpoint(file(4, 3)).tensors[0].tensor.to_doubles(), (std::vector<double>{5, 6}));
  EXPECT_EQ(error_of(file(4, 2)).code(), ErrorCode::invalid);
  EXPECT_EQ(error_of(file(7, 3)).code(), ErrorCode::invalid);
  EXPECT_EQ(error_of(file(-1, 3)).code(), ErrorCode::invalid);
}

TEST(Legacy, AClassTravelsWithItsSourceWhichIsNotRead) {
  PickleWriter pickle;
  pickle.mark().text("module").global("__main__", "Net").text("net.py").text("import os").tuple().raw("Q");
  pickle.empty_tuple().new_object().empty_dict().mark().text("training").boolean(false);
  pickle.text("_parameters").ordered_dict().mark();
  pickle.entry("w", "0", {4, 2}).entry("v", "1", {3, 2, 1}).set_items();
  pickle.text("_buffers").ordered_dict().text("_modules").ordered_dict().set_items().build();
  const Checkpoint checkpoint = read_checkpoint(to_bytes(legacy_text(pickle.finish())));
  EXPECT_EQ(checkpoint.form, "whole_model");
  ASSERT_EQ(checkpoint.modules.size(), 1U);
  EXPECT_EQ(checkpoint.modules[0].class_name, "__main__.Net");
}

TEST(Legacy, EveryTruncationIsAnError) {
  const std::string whole = legacy_text(small_pickle());
  for (std::size_t size = 1; size < whole.size(); ++size) (void)error_of(to_bytes(whole.substr(0, size)));
}

TEST(Legacy, WhatIsNotWrittenByTorchIsCalledAPlainPickle) {
  PickleWriter plain;
  plain.empty_dict().mark().text("a").integer(1).set_items();
  const Error error = error_of(to_bytes(plain.finish()));
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_NE(error.message().find("plain pickle"), std::string::npos);
  EXPECT_EQ(error_of(to_bytes("\x80\x02\xff\xff\xff\xff")).code(), ErrorCode::unsupported);
}

TEST(Legacy, LiesAreRefused) {
  LegacyParts protocol, unknown_key, twice, longer, missing;
  protocol.protocol = 1000;
  unknown_key.keys = {"0", "7"};
  twice.keys = {"0", "0"};
  longer.first_count = 9;
  missing.keys = {"0"};
  missing.storages.pop_back();
  for (const LegacyParts& parts : {protocol, unknown_key, twice, longer, missing}) {
    (void)error_of(to_bytes(legacy_text(small_pickle(), parts)));
  }
}

}  // namespace
}  // namespace bytecnn::exporter::test
