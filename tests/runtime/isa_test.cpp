// Which instruction set is used, and how BYTECNN_FORCE_ISA changes it.

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/bytecnn.hpp"

#include "error_check.hpp"
#include "small_models.hpp"

namespace bytecnn {
namespace {

using testing::contains;
using testing::describe;
using testing::error_of;

constexpr const char* variable = "BYTECNN_FORCE_ISA";
const std::vector<Isa> every_isa = {Isa::reference, Isa::sse2, Isa::avx2, Isa::avx512, Isa::neon64};

bool is_supported(Isa isa) {
  const auto supported = supported_isas();
  return std::find(supported.begin(), supported.end(), isa) != supported.end();
}

class ForcedIsaTest : public ::testing::Test {
 protected:
  ForcedIsaTest() {
    if (const char* value = std::getenv(variable)) before_ = value;
    unsetenv(variable);
  }
  ~ForcedIsaTest() override {
    if (before_)
      setenv(variable, before_->c_str(), 1);
    else
      unsetenv(variable);
  }
  static void force(const std::string& value) { setenv(variable, value.c_str(), 1); }

 private:
  std::optional<std::string> before_;
};

TEST(IsaTest, EveryNameReadsBack) {
  for (const Isa isa : every_isa) EXPECT_EQ(parse_isa(to_string(isa)), isa);
  const Error error = error_of([] { return parse_isa("AVX2"); });
  EXPECT_EQ(error.code(), ErrorCode::usage);
  EXPECT_EQ(error.found(), "\"AVX2\"");
  for (const Isa isa : every_isa) EXPECT_TRUE(contains(error.expected(), to_string(isa))) << describe(error);
}

TEST(IsaTest, TheReferenceIsAlwaysThereAndLastAndVectorsAreThereOnTheUsualMachines) {
  EXPECT_EQ(supported_isas().back(), Isa::reference);
#if defined(__x86_64__)
  EXPECT_TRUE(is_supported(Isa::sse2));
  EXPECT_FALSE(is_supported(Isa::neon64));
  EXPECT_EQ(is_supported(Isa::avx2), __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
#elif defined(__aarch64__)
  EXPECT_TRUE(is_supported(Isa::neon64));
  EXPECT_FALSE(is_supported(Isa::sse2));
#endif
}

TEST_F(ForcedIsaTest, WithoutTheVariableTheFastestIsUsed) {
  EXPECT_EQ(active_isa(), supported_isas().front());
  force("");
  EXPECT_EQ(active_isa(), supported_isas().front());
  EXPECT_EQ(Classifier(testing::small_model()).isa(), supported_isas().front());
}

TEST_F(ForcedIsaTest, ASupportedNameIsUsedByNewClassifiers) {
  for (const Isa isa : supported_isas()) {
    force(std::string(to_string(isa)));
    EXPECT_EQ(active_isa(), isa);
    EXPECT_EQ(Classifier(testing::small_model()).isa(), isa);
  }
}

TEST_F(ForcedIsaTest, AnUnknownNameIsAnErrorThatListsTheNames) {
  for (const char* name : {"avx3", "SSE2", " avx2", "avx2,sse2", "1"}) {
    force(name);
    const Error error = error_of([] { return active_isa(); });
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_EQ(error.where(), variable);
    EXPECT_EQ(error.found(), "\"" + std::string(name) + "\"");
    EXPECT_TRUE(contains(error.expected(), "avx512, avx2, sse2, neon64, reference")) << describe(error);
    EXPECT_THROW(Classifier{testing::small_model()}, Error);
  }
}

TEST_F(ForcedIsaTest, AnUnsupportedNameIsAnErrorThatListsWhatIsSupported) {
  std::size_t unsupported = 0;
  for (const Isa isa : every_isa) {
    if (is_supported(isa)) continue;
    ++unsupported;
    force(std::string(to_string(isa)));
    const Error error = error_of([] { return active_isa(); });
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_EQ(error.where(), variable);
    EXPECT_TRUE(contains(error.expected(), to_string(supported_isas().front()))) << describe(error);
    EXPECT_FALSE(contains(error.expected(), to_string(isa))) << describe(error);
    EXPECT_EQ(error_of([&] { return Classifier(testing::small_model(), isa); }).code(), ErrorCode::usage);
  }
  EXPECT_GE(unsupported, 1U) << "no machine has both SSE2 and NEON";
}

TEST(IsaTest, APlanIsDescribedLineByLine) {
  for (const Isa isa : supported_isas()) {
    const std::string text = Classifier(testing::rich_model(), isa).plan_description();
    EXPECT_TRUE(text.ends_with('\n')) << text;
    EXPECT_EQ(contains(text, "reference"), isa == Isa::reference) << text;
  }
}

}  // namespace
}  // namespace bytecnn
