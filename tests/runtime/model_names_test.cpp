// The names in files and on the command line: each reads back as what it stands for, and nothing else is a name.

#include <string>

#include <gtest/gtest.h>

#include "bytecnn/model.hpp"

#include "error_check.hpp"

namespace bytecnn {
namespace {

using testing::contains;
using testing::error_of;
using Kind = Activation::Kind;

TEST(ModelNamesTest, EveryActivationReadsBack) {
  for (const Kind kind :
       {Kind::none, Kind::relu, Kind::leaky_relu, Kind::gelu, Kind::silu, Kind::tanh, Kind::sigmoid}) {
    const Activation activation{kind, 0.01F};
    EXPECT_EQ(parse_activation(to_string(activation)), activation) << to_string(activation);
  }
  EXPECT_EQ(to_string(Activation{Kind::gelu}), "gelu");
}

TEST(ModelNamesTest, TheSlopeOfLeakyReluIsPartOfItsName) {
  EXPECT_EQ(to_string(Activation{Kind::leaky_relu, 0.2F}), "leaky_relu(0.2)");
  for (const float slope : {0.01F, 0.1F, 1.0F / 3, 0.0F, -1.5F, 1e-30F, 3e38F}) {
    const Activation activation{Kind::leaky_relu, slope};
    EXPECT_EQ(parse_activation(to_string(activation)), activation) << slope;
  }
  EXPECT_EQ(parse_activation("leaky_relu"), (Activation{Kind::leaky_relu, 0.01F}));  // as torch.nn.LeakyReLU()
}

TEST(ModelNamesTest, ABadSlopeIsRefused) {
  for (const char* name : {"leaky_relu()", "leaky_relu(x)", "leaky_relu(0.1", "leaky_relu(0.1)x", "leaky_relu(nan)",
                           "leaky_relu(inf)", "leaky_relu(1e99)", "leaky_relu( 0.1)", "leaky_relu(0.1 )"}) {
    EXPECT_EQ(error_of([&] { return parse_activation(name); }).code(), ErrorCode::invalid) << name;
  }
}

TEST(ModelNamesTest, EveryPoolingReadsBack) {
  for (const Pooling pooling :
       {Pooling::max, Pooling::avg, Pooling::avg_max, Pooling::concat_avg_max, Pooling::concat_avg_max_std}) {
    EXPECT_EQ(parse_pooling(to_string(pooling)), pooling);
  }
  EXPECT_EQ(to_string(Pooling::concat_avg_max_std), "concat_avg_max_std");
}

TEST(ModelNamesTest, EveryOutputAndPositionReadsBack) {
  for (const Output output : {Output::sigmoid, Output::softmax, Output::none}) {
    EXPECT_EQ(parse_output(to_string(output)), output);
  }
  using Position = BatchNormSpec::Position;
  for (const Position position : {Position::before_activation, Position::after_activation}) {
    EXPECT_EQ(parse_batch_norm_position(to_string(position)), position);
  }
}

TEST(ModelNamesTest, AnUnknownNameIsToldTheKnownOnes) {
  const Error pooling = error_of([] { return parse_pooling("mean"); });
  EXPECT_EQ(pooling.code(), ErrorCode::invalid);
  EXPECT_EQ(pooling.where(), "");
  EXPECT_EQ(pooling.found(), "\"mean\"");
  EXPECT_EQ(pooling.expected(), "one of max, avg, avg_max, concat_avg_max, concat_avg_max_std");
  EXPECT_TRUE(contains(error_of([] { return parse_activation("ReLU"); }).expected(), "relu, leaky_relu"));
  EXPECT_TRUE(contains(error_of([] { return parse_output(""); }).expected(), "softmax"));
  EXPECT_TRUE(contains(error_of([] { return parse_batch_norm_position("before"); }).expected(), "before_activation"));
}

}  // namespace
}  // namespace bytecnn
