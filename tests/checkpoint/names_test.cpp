#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "checkpoint/name_prefix.hpp"
#include "checkpoint/plain_value.hpp"
#include "checkpoint/printable.hpp"

namespace bytecnn::exporter::test {
namespace {

NamePrefix prefix_of(const std::vector<NameAndRank>& names) {
  return find_prefix(names);
}

TEST(NamePrefix, WrappersAreTakenOffInAnyMix) {
  EXPECT_EQ(prefix_of({{"module.embedding.weight", 2}, {"module.conv1.weight", 3}}).prefix, "module.");
  EXPECT_EQ(prefix_of({{"_orig_mod.module.embedding.weight", 2}, {"_orig_mod.module.fc.weight", 2}}).prefix,
            "_orig_mod.module.");
  EXPECT_EQ(prefix_of({{"model._orig_mod.net.embedding.weight", 2}, {"model._orig_mod.net.fc.bias", 1}}).prefix,
            "model._orig_mod.net.");
}

TEST(NamePrefix, AnUnknownWrapperIsTakenOffWhereAllNamesShareIt) {
  EXPECT_EQ(prefix_of({{"bytes_encoder.embedding.weight", 2}, {"bytes_encoder.fc.weight", 2}}).prefix,
            "bytes_encoder.");
}

TEST(NamePrefix, ALayerIsNoWrapper) {
  EXPECT_EQ(prefix_of({{"conv1.weight", 3}, {"conv1.bias", 1}}).prefix, "");
  EXPECT_EQ(prefix_of({{"embedding.weight", 2}, {"conv1.weight", 3}}).prefix, "");
}

TEST(NamePrefix, LossesAndMetricsBesideTheModelAreSetAside) {
  const NamePrefix lightning = prefix_of({{"model.embedding.weight", 2},
                                          {"model.conv1.weight", 3},
                                          {"loss_fn.pos_weight", 1},
                                          {"criterion.weight", 1},
                                          {"train_acc.tp", 1},
                                          {"val_f1.confmat", 2}});
  EXPECT_EQ(lightning.prefix, "model.");
  EXPECT_EQ(lightning.inside, (std::vector<bool>{true, true, false, false, false, false}));
  EXPECT_EQ(prefix_of({{"n_averaged", 0}, {"module.embedding.weight", 2}, {"module.fc.weight", 2}}).prefix, "module.");
}

TEST(NamePrefix, ALayerOutsideTheWrapperKeepsEverythingInPlace) {
  const NamePrefix outside =
      prefix_of({{"model.embedding.weight", 2}, {"model.conv1.weight", 3}, {"head.weight", 2}, {"loss.weight", 1}});
  EXPECT_EQ(outside.prefix, "");
  EXPECT_EQ(outside.inside, (std::vector<bool>{true, true, true, true}));
  EXPECT_EQ(prefix_of({{"model.embedding.weight", 2}, {"net.embedding.weight", 2}}).prefix, "");
}

TEST(NamePrefix, LayersWhoseNamesSoundLikeMetricsStay) {
  EXPECT_EQ(prefix_of({{"model.embedding.weight", 2}, {"face.weight", 2}}).prefix, "");
}

TEST(NamePrefix, BlocksOfOneModelAreNoRivals) {
  const std::vector<NameAndRank> blocks{{"embedding.weight", 2},
                                        {"block1.conv.weight", 3},
                                        {"block1.bn.weight", 1},
                                        {"block2.conv.weight", 3},
                                        {"block2.bn.weight", 1}};
  EXPECT_TRUE(rival_models(blocks).empty());
  const std::vector<NameAndRank> two{{"a.emb.weight", 2}, {"a.fc.weight", 2}, {"b.emb.weight", 2}, {"b.fc.weight", 2}};
  EXPECT_EQ(rival_models(two), (std::vector<std::string>{"a", "b"}));
}

TEST(Printable, TextOfAFileIsMadeFitForAMessage) {
  EXPECT_EQ(printable("plain"), "plain");
  EXPECT_EQ(printable("a\n\x1b\xff"), "a\\x0a\\x1b\\xff");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
}

TEST(Printable, CleanUtf8HasNoControlsSurrogatesOrOverlongForms) {
  EXPECT_TRUE(is_clean_utf8("h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"));
  for (const char* bad :
       {"a\n", "\xc3", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\x80"}) {
    EXPECT_FALSE(is_clean_utf8(bad)) << printable(bad);
  }
}

TEST(PythonFloat, PrintsAsPythonDoes) {
  EXPECT_EQ(python_float(1e-5), "1e-05");
  EXPECT_EQ(python_float(0.0001), "0.0001");
  EXPECT_EQ(python_float(2), "2.0");
  EXPECT_EQ(python_float(-0.1), "-0.1");
  EXPECT_EQ(python_float(1e16), "1e+16");
  EXPECT_EQ(python_float(1e300), "1e+300");
  EXPECT_EQ(python_float(0), "0.0");
  EXPECT_EQ(python_float(1.0 / 0.0), "inf");
}

}  // namespace
}  // namespace bytecnn::exporter::test
