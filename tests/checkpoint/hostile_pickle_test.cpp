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

Error error_of_pickle(const std::string& pickle, const CheckpointLimits& limits = {}) {
  return error_of(checkpoint_file(pickle, {}), {}, limits);
}

std::string proto2(std::string_view opcodes) {
  return "\x80\x02" + std::string(opcodes);
}

TEST(HostilePickle, BrokenOnesAreSyntaxErrorsWithTheirPlace) {
  const std::vector<std::string> broken{
      "",
      "\x80",
      proto2(""),           // no STOP
      proto2("."),          // nothing on the stack
      proto2("\x87."),      // TUPLE3 of nothing
      proto2("R."),         // REDUCE of nothing
      proto2("t."),         // no MARK
      proto2("}(K\x01u."),  // a key without a value
      proto2("(K\x01"
             "d."),                   // the same
      proto2("h\x07."),               // a memo slot that was never set
      proto2("]r\xff\xff\xff\xff."),  // memo slot 2^32 - 1
      proto2("X\xff\xff\xff\xff"
             "ab."),                       // a string of 4 GB
      proto2("\x8b\x05\x00\x00\x00z."sv),  // an integer that is cut
      proto2("K\x01K\x02."),               // two values at STOP
      proto2("(K\x01."),                   // a mark at STOP
      proto2("K\x01K\x02"
             "a."),                                     // APPEND to an integer
      proto2("K\x01K\x02K\x03s."),                      // SETITEM on an integer
      proto2("cposix"),                                 // a name without an end
      proto2("K\x01K\x02\x93."),                        // STACK_GLOBAL of numbers
      proto2("K\x01K\x02R."),                           // REDUCE without a tuple
      proto2("\x95\xff\xff\xff\xff\xff\xff\xff\xff."),  // a frame beyond the end
      proto2("]0a."),
  };
  for (const std::string& pickle : broken) {
    const Error error = error_of_pickle(pickle);
    EXPECT_EQ(error.code(), ErrorCode::syntax) << error.what();
    EXPECT_EQ(error.where().rfind("archive/data.pkl: byte ", 0), 0U) << error.what();
  }
}

TEST(HostilePickle, MarksProtectWhatLiesBelowThem) {
  for (const char* opcodes : {"K\x01(a.", "}(s.", "K\x01K\x02(\x86.", "]K\x01(R."}) {
    EXPECT_EQ(error_of_pickle(proto2(opcodes)).code(), ErrorCode::syntax) << opcodes;
  }
}

TEST(HostilePickle, OpcodesThatTorchDoesNotWriteAreUnsupported) {
  for (const char* opcodes :
       {"I1\n.", "S'a'\n.", "(i__main__\nX\n.", "(cposix\nsystem\no.", "\x82\x01.", "P0\n.", "\x97."}) {
    EXPECT_EQ(error_of_pickle(proto2(opcodes)).code(), ErrorCode::unsupported) << opcodes;
  }
  EXPECT_EQ(error_of_pickle("\x80\x09}.").code(), ErrorCode::unsupported);
  EXPECT_EQ(error_of_pickle("(dp0\n.").code(), ErrorCode::syntax);
}

TEST(HostilePickle, PersistentIdsMustBeStorages) {
  for (const char* opcodes : {"K\x01Q.", ")Q.", "(X\x01\0\0\0atQ."}) {
    EXPECT_EQ(error_of_pickle(proto2(std::string_view(opcodes))).code() == ErrorCode::usage, false);
  }
  PickleWriter unknown;
  unknown.mark().text("teapot").global("torch", "FloatStorage").text("0").text("cpu").integer(1).tuple().raw("Q");
  EXPECT_EQ(error_of_pickle(unknown.finish()).code(), ErrorCode::invalid);
}

TEST(HostilePickle, DeepNestingNeitherOverflowsAStackNorTakesLong) {
  std::string lists = "\x80\x02";
  lists += std::string(300'000, ']') + std::string(299'999, 'a') + ".";
  EXPECT_EQ(error_of_pickle(lists).code(), ErrorCode::invalid);
  std::string tuples = "\x80\x02N";
  tuples += std::string(400'000, '\x85') + ".";
  EXPECT_EQ(error_of_pickle(tuples).code(), ErrorCode::invalid);
}

TEST(HostilePickle, ExponentialSharingIsOnlyAGraph) {
  PickleWriter pickle;
  pickle.empty_list().put(0);
  for (std::uint8_t i = 1; i < 100; ++i) {
    const auto below = static_cast<std::uint8_t>(i - 1);
    pickle.raw("0").mark().get(below).get(below).get(below).get(below).tuple().put(i);
  }
  EXPECT_EQ(error_of_pickle(pickle.finish()).code(), ErrorCode::invalid);
}

TEST(HostilePickle, AStateDictThatContainsItselfEnds) {
  PickleWriter dict;
  dict.empty_dict().put(0).text("a").get(0).raw("s");
  EXPECT_EQ(error_of_pickle(dict.finish()).code(), ErrorCode::invalid);
  PickleWriter list;
  list.empty_list().put(0).get(0).raw("a");
  EXPECT_EQ(error_of_pickle(list.finish()).code(), ErrorCode::invalid);
}

TEST(HostilePickle, QuadraticCopiesAreCutOff) {
  // One list of 100,000 items made into a set again and again.
  std::string pickle = proto2("](");
  pickle += std::string(100'000, 'N') + "eq\x01";
  for (int i = 0; i < 2000; ++i) pickle += "0cbuiltins\nset\n(h\x01tR";
  pickle += ".";
  EXPECT_EQ(error_of_pickle(pickle).code(), ErrorCode::limit);
}

TEST(HostilePickle, LimitsOnInstructionsNodesAndLength) {
  PickleWriter pickle;
  write_small_state_dict(pickle);
  const auto file = checkpoint_file(pickle.finish(), small_storages());
  CheckpointLimits few_instructions, few_nodes, short_pickle;
  few_instructions.max_instructions = 10;
  few_nodes.max_nodes = 10;
  short_pickle.max_pickle_bytes = 10;
  for (const CheckpointLimits& limits : {few_instructions, few_nodes, short_pickle}) {
    EXPECT_EQ(error_of(file, {}, limits).code(), ErrorCode::limit);
  }
}

TEST(HostilePickle, WorkingMemoryIsBoundedWhateverThePickleAsksFor) {
  std::string lists = "\x80\x02(";
  lists += std::string(3'000'000, ']') + "t.";
  EXPECT_EQ(error_of_pickle(lists).code(), ErrorCode::limit);
  std::string names = "\x80\x02(";
  for (int i = 0; i < 10'000; ++i) names += "cm\nc" + std::to_string(i) + "\n";
  EXPECT_EQ(error_of_pickle(names + "t.").code(), ErrorCode::limit);
}

TEST(HostilePickle, WrappedTensorsAreNotFollowedForever) {
  PickleWriter pickle;
  for (int i = 0; i < 1000; ++i) {
    pickle.global("torch._tensor", "_rebuild_from_type_v2")
        .mark()
        .global("torch._tensor", "_rebuild_from_type_v2")
        .none();
  }
  pickle.empty_tuple();
  for (int i = 0; i < 1000; ++i) pickle.none().tuple().reduce();
  EXPECT_NE(error_of_pickle(pickle.finish()).code(), ErrorCode::usage);
}

TEST(HostilePickle, OneLongNameUnderManyTensorsIsNotCopied) {
  PickleWriter pickle;
  const TensorSpec spec{.key = "0", .elements = 8, .sizes = {4, 2}, .strides = {2, 1}};
  pickle.tensor(spec).put(1).raw("0").text(std::string(1 << 20, 'x')).put(0).raw("0").empty_dict().mark();
  for (int i = 0; i < 20'000; ++i) pickle.get(0).get(1);
  pickle.set_items();
  EXPECT_EQ(error_of(checkpoint_file(pickle.finish(), small_storages())).code(), ErrorCode::limit);
}

TEST(HostilePickle, ManyObjectsThatShareALargeStateTakeNoLongTime) {
  std::string pickle = proto2("}(");
  for (int i = 0; i < 50'000; ++i) pickle += "U\x05" + std::to_string(10'000 + i) + "N";
  pickle +=
      "uq\x01"
      "0}(";
  for (int i = 0; i < 20'000; ++i)
    pickle += "U\x05" + std::to_string(10'000 + i) +
              "cm\nN\n)\x81h\x01"
              "b";
  EXPECT_EQ(error_of_pickle(pickle + "u.").code(), ErrorCode::limit);
}

TEST(HostilePickle, NamesOfTensorsMustBeText) {
  for (const std::string name : {"a\nb", "\xff", "", "\x1b[31m"}) {
    PickleWriter pickle;
    pickle.ordered_dict().mark().entry(name, "0", {4, 2}).entry("conv1.weight", "1", {3, 2, 1}).set_items();
    EXPECT_EQ(error_of(checkpoint_file(pickle.finish(), small_storages())).code(), ErrorCode::invalid);
  }
}

}  // namespace
}  // namespace bytecnn::exporter::test
