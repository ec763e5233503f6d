#include <algorithm>
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

using Names = std::vector<std::string>;

/// class Net: embedding, conv1 (with bias=None) and a batch norm with a buffer that is not saved.
void write_net(PickleWriter& pickle, const char* module = "__main__") {
  pickle.module(
      module, "Net", [&] { pickle.text("max_len").integer(512).text("_hidden").integer(1); }, {}, {},
      [&] {
        pickle.text("embedding");
        pickle.module(
            "torch.nn.modules.sparse", "Embedding", [&] { pickle.text("num_embeddings").integer(4); },
            [&] {
              pickle.entry("weight", "0", {4, 2});
            },
            {}, {});
        pickle.text("conv1");
        pickle.module(
            "torch.nn.modules.conv", "Conv1d",
            [&] {
              pickle.text("stride").integers({2}).text("padding_mode").text("zeros").text("eps").real(1e-5);
              pickle.text("act")
                  .global("torch.nn.functional", "relu")
                  .text("pool")
                  .global("__builtin__", "getattr")
                  .mark();
              pickle.global("torch._C", "_VariableFunctionsClass").text("amax").tuple().reduce();
            },
            [&] {
              pickle.entry("weight", "1", {3, 2, 1});
              pickle.text("bias").none();
            },
            {}, {});
        pickle.text("bn").module(
            "torch.nn.modules.batchnorm", "BatchNorm1d",
            [&] {
              pickle.text("_non_persistent_buffers_set").global("builtins", "set").mark().empty_list().mark();
              pickle.text("scratch").appends().tuple().reduce();
            },
            {},
            [&] {
              pickle.entry("running_mean", "2", {3});
              pickle.entry("scratch", "3", {3});
            },
            {});
        pickle.text("gone").none();
      });
}

std::vector<std::byte> file(const PickleWriter& pickle) {
  return checkpoint_file(pickle.finish(), {floats(8), floats(6), floats(3), floats(3)});
}

std::string attribute(const Module& module, std::string_view name) {
  for (const auto& [key, value] : module.attributes) {
    if (key == name) return value;
  }
  return "(none)";
}

TEST(WholeModel, IsReadWithoutItsClassInRegistrationOrder) {
  PickleWriter pickle;
  write_net(pickle);
  const Checkpoint checkpoint = read_checkpoint(file(pickle));
  EXPECT_EQ(checkpoint.form, "whole_model");
  EXPECT_EQ(names_of(checkpoint), (Names{"embedding.weight", "conv1.weight", "bn.running_mean"}));
  EXPECT_EQ(checkpoint.ignored, (Names{"bn.scratch"}));
  EXPECT_EQ(checkpoint.opaque.at(0), "__main__.Net");
  ASSERT_EQ(checkpoint.modules.size(), 4U);
  EXPECT_EQ(checkpoint.modules[0].path, "");
  EXPECT_EQ(checkpoint.modules[0].class_name, "__main__.Net");
  EXPECT_EQ(attribute(checkpoint.modules[0], "max_len"), "512");
  EXPECT_EQ(attribute(checkpoint.modules[0], "_hidden"), "(none)");
  EXPECT_EQ(checkpoint.modules[1].path, "embedding");
  EXPECT_EQ(checkpoint.modules[2].class_name, "torch.nn.modules.conv.Conv1d");
  EXPECT_EQ(attribute(checkpoint.modules[2], "stride"), "(2,)");
  EXPECT_EQ(attribute(checkpoint.modules[2], "padding_mode"), "zeros");
  EXPECT_EQ(attribute(checkpoint.modules[2], "eps"), "1e-05");
  EXPECT_EQ(attribute(checkpoint.modules[2], "act"), "torch.nn.functional.relu");
  EXPECT_EQ(attribute(checkpoint.modules[2], "pool"), "torch.amax");
  EXPECT_EQ(attribute(checkpoint.modules[2], "training"), "True");
  EXPECT_EQ(checkpoint.modules[3].path, "bn");
}

TEST(WholeModel, IsFoundInsideACheckpoint) {
  PickleWriter pickle;
  pickle.empty_dict().mark().text("epoch").integer(2).text("net");
  write_net(pickle, "mymodels.v2");
  const Checkpoint checkpoint = read_checkpoint(file(pickle.set_items()));
  EXPECT_EQ(checkpoint.form, "whole_model_in_checkpoint");
  EXPECT_EQ(checkpoint.key, "net");
  EXPECT_EQ(checkpoint.modules.at(0).class_name, "mymodels.v2.Net");
}

TEST(WholeModel, AWrapperRoundItIsTakenOffNamesAndPaths) {
  PickleWriter pickle;
  pickle.module("torch.nn.parallel.data_parallel", "DataParallel", {}, {}, {}, [&] {
    pickle.text("module");
    write_net(pickle);
  });
  const Checkpoint checkpoint = read_checkpoint(file(pickle));
  EXPECT_EQ(checkpoint.prefix, "module.");
  EXPECT_EQ(names_of(checkpoint).at(0), "embedding.weight");
  ASSERT_EQ(checkpoint.modules.size(), 4U);
  EXPECT_EQ(checkpoint.modules[0].class_name, "__main__.Net");
  EXPECT_EQ(checkpoint.modules[2].path, "conv1");
}

TEST(WholeModel, AModuleThatContainsItselfIsRefused) {
  PickleWriter pickle;
  pickle.global("m", "Net").empty_tuple().new_object().put(0).empty_dict().mark();
  pickle.text("_parameters").empty_dict().text("_modules").empty_dict().mark().text("a").get(0).set_items();
  pickle.set_items().build();
  EXPECT_EQ(error_of(file(pickle)).code(), ErrorCode::limit);
}

TEST(WholeModel, ExponentiallyManySubmodulesAreRefused) {
  PickleWriter pickle;
  for (std::uint8_t i = 0; i < 40; ++i) {
    pickle.global("m", "Net").empty_tuple().new_object().empty_dict().mark().text("_parameters").empty_dict();
    pickle.text("_modules").empty_dict();
    if (i > 0) {
      const auto below = static_cast<std::uint8_t>(i - 1);
      pickle.mark().text("a").get(below).text("b").get(below).set_items();
    }
    pickle.set_items().build().put(i);
    if (i < 39) pickle.raw("0");
  }
  EXPECT_EQ(error_of(file(pickle)).code(), ErrorCode::limit);
}

TEST(WholeModel, PartsThatAreNoModulesOrTensorsAreNamed) {
  PickleWriter part;
  part.module("m", "Net", {}, {}, {}, [&] { part.text("sub").global("m", "Thing").empty_tuple().new_object(); });
  EXPECT_NE(std::string(error_of(file(part)).what()).find("'sub'"), std::string::npos);
  PickleWriter parameter;
  parameter.module("m", "Net", {}, [&] { parameter.text("w").integer(3); }, {}, {});
  EXPECT_NE(std::string(error_of(file(parameter)).what()).find("'w'"), std::string::npos);
  PickleWriter empty;
  empty.module("m", "Net", {}, {}, {}, {});
  EXPECT_NE(std::string(error_of(file(empty)).what()).find("no parameters"), std::string::npos);
}

}  // namespace
}  // namespace bytecnn::exporter::test
