#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/error.hpp"

#include "checkpoint/code_tokens.hpp"
#include "checkpoint/torchscript_code_scan.hpp"

namespace bytecnn::exporter::test {
namespace {

void scan(const std::string& source) {
  Checkpoint checkpoint;
  checkpoint.code["code/__torch__.py"] = source;
  scan_torchscript_code(checkpoint);
}

/// A module with `body` as its forward; `members` are further lines of the class.
std::string module_with(const std::string& body, const std::string& members = {}) {
  return "class Net(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n  conv1 : "
         "__torch__.Conv1d\n"
         "  path : str\n" +
         members + "  def forward(self: __torch__.Net,\n    x: Tensor) -> Tensor:\n    " + body + "\n    return x\n";
}

std::string refusal(const std::string& source) {
  try {
    scan(source);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_EQ(error.where().rfind("code/__torch__.py: line ", 0), 0U) << error.where();
    return error.what();
  }
  return "(passed)";
}

TEST(CodeScan, WhatPyTorchWritesForAByteCnnPasses) {
  EXPECT_NO_THROW(scan(R"(class Net(Module):
  __parameters__ = ["weight", "bias", ]
  __buffers__ = ["running_mean", ]
  weight : Tensor
  training : bool
  _is_full_backward_hook : Optional[bool]
  stride : Final[Tuple[int]] = (1,)
  eps : Final[float] = 1.0000000000000001e-05
  __annotations__["0"] = __torch__.torch.nn.modules.conv.___torch_mangle_37.Conv1d
  conv1 : __torch__.torch.nn.modules.conv.___torch_mangle_37.Conv1d
  def forward(self: __torch__.Net,
    x: Tensor) -> Tensor:
    _0 = __torch__.torch.nn.functional.relu
    weight = self.weight
    conv1 = self.conv1
    _1 = getattr(self, "0")
    h = torch.transpose(torch.embedding(weight, x), 1, 2)
    h0 = _0((conv1).forward(h, ), False, )
    h1 = (conv1).forward12(h0, )
    _2, _3 = torch.max(h0, 2)
    x1 = torch.mul(torch.add(torch.mean(h0, [2]), _2), CONSTANTS.c0)
    _4 = torch.slice(h0, 2, 1, 9223372036854775807)
    training = self.training
    if training:
      ops.prim.RaiseException(torch.format("bad {}", 1), "builtins.ValueError")
    else:
      pass
    bias = unchecked_cast(Tensor, x1)
    for i in range(torch.sub(torch.len(size), 2)):
      y = torch.mul(x1, (size)[torch.add(i, 2)])
    self.weight = torch.neg(weight)
    return (self)._helper(annotate(List[int], []), )
  def _helper(self: __torch__.Net,
    a: List[int]) -> int:
    return 6
  def __len__(self: __torch__.Net) -> int:
    return 6
def relu(input: Tensor,
    inplace: bool=False) -> Tensor:
  return torch.relu_(input)
)"));
}

TEST(CodeScan, FilesInputAndOutputAreRefusedByName) {
  EXPECT_NE(refusal(module_with("torch.save(x, \"/tmp/a\")")).find("torch.save"), std::string::npos);
  EXPECT_NE(refusal(module_with("y = torch.from_file(\"/etc/passwd\", False, 10)")).find("from_file"),
            std::string::npos);
  EXPECT_NE(refusal(module_with("print(\"x\")")).find("print"), std::string::npos);
  EXPECT_NE(refusal(module_with("_0 = print")).find("print"), std::string::npos);
  EXPECT_NE(refusal(module_with("_0 = torch.save")).find("torch.save"), std::string::npos);
}

TEST(CodeScan, OtherNamespacesAndClassesAreRefusedByName) {
  EXPECT_NE(refusal(module_with("y = ops.evil.run(x)")).find("ops.evil.run"), std::string::npos);
  EXPECT_NE(refusal(module_with("y = ops.aten.save(x, \"a\")")).find("ops.aten.save"), std::string::npos);
  EXPECT_NE(refusal(module_with("y = ops.prim.PythonOp(x)")).find("PythonOp"), std::string::npos);
  EXPECT_NE(refusal(module_with("y = __torch__.torch.classes.evil.Cls(x)")).find("torch.classes"), std::string::npos);
  EXPECT_NE(refusal("class Net(NamedTuple):\n  a : int\n").find("not a plain module"), std::string::npos);
  EXPECT_NE(refusal("class Net:\n  a : int\n").find("not a plain module"), std::string::npos);
}

TEST(CodeScan, CodeThatRunsWhileLoadingIsRefusedByName) {
  for (const char* name : {"__setstate__", "__getstate__", "__init__", "__del__"}) {
    const std::string member =
        std::string("  def ") + name + "(self: __torch__.Net,\n    s: int) -> NoneType:\n    return None\n";
    EXPECT_NE(refusal(module_with("y = x", member)).find(name), std::string::npos);
  }
}

TEST(CodeScan, MethodsThatAreOperatorsInDisguiseAreRefused) {
  // Where a value has no such attribute, TorchScript looks for an operator of that name.
  const std::vector<std::string> disguises{
      "y = (x).save(\"/tmp/a\")",
      "y = (\"/tmp/a\").from_file()",
      "y = (self).save(\"/tmp/a\", )",
      "y = self.save(\"/tmp/a\")",
      "_0 = self.save",
      "_0 = self.path.save",
      "_0 = (self.path).save",
      "path = self.path\n    _0 = path.save",
      "_0 = getattr(self, \"save\")",
      "_0 = getattr(x, \"save\")",
      "self = x",
      "self, y = x, x",
      "for self in range(2):\n      pass",
      "y = (x)._helper()",
      "y = x.data_ptr()",
  };
  for (const std::string& body : disguises) EXPECT_NE(refusal(module_with(body)), "(passed)") << body;
  // A method of that name in another class does not help.
  const std::string other = "class Other(Module):\n  def harmless(self: __torch__.Other) -> int:\n    return 1\n";
  EXPECT_NE(refusal(other + module_with("y = (self).harmless()")), "(passed)");
  EXPECT_NE(refusal(module_with("y = x", "  save : str\n") + "def f(self: str) -> int:\n  return (self).save(\"a\")\n"),
            "(passed)");
}

TEST(CodeScan, ConstructsThatPyTorchDoesNotWriteAreRefused) {
  const std::vector<std::string> constructs{
      "while True:\n      pass",
      "import os",
      "with x:\n      pass",
      "try:\n      pass",
      "raise x",
      "y = lambda a: a",
      "assert x",
      "y = 'text'",
      "y = \"\"\"text\"\"\"",
      "y = f\"text\"",
      "y = x # comment",
      "y = x \\\n    + x",
      "y = x; z = x",
      "y = 0x10",
      "y = 99999999999",
      "y = \"\x01\"",
      "y = @x",
      "def inner(a: int) -> int:\n      return a",
      "for i in range(100000):\n      pass",
      "for i in range(n):\n      pass",
      "for i in x:\n      pass",
      "y = torch",
      "y = ops",
      "y = __torch__",
      "y = torch.nn.functional",
      "y = open(\"x\")",
      "y = eval(\"x\")",
      "y = x.__class__",
      "y = __import__",
      "y = (x",
      "y = x)",
      "\ty = x",
  };
  for (const std::string& body : constructs) EXPECT_NE(refusal(module_with(body)), "(passed)") << body;
  EXPECT_NE(refusal("class Net(Module):\n  training : bool\n  class Net(Module):"), "(passed)");
  EXPECT_NE(refusal("class Net(Module):\n  class"), "(passed)");
  EXPECT_NE(refusal("x = 3\n"), "(passed)");
  EXPECT_NE(refusal("torch.relu(x)\n"), "(passed)");
}

TEST(CodeScan, AnArchiveWithoutCodeIsInvalid) {
  EXPECT_THROW(scan_torchscript_code(Checkpoint()), Error);
}

TEST(CodeTokens, KnowLinesIndentationAndKinds) {
  const std::vector<CodeToken> tokens = code_tokens("a = (1.5e-3,\n  \"x\\\"y\")\n  b->c\n");
  std::vector<std::string> texts;
  for (const CodeToken& token : tokens) texts.emplace_back(token.text);
  EXPECT_EQ(texts, (std::vector<std::string>{"a", "=", "(", "1.5e-3", ",", "\"x\\\"y\"", ")", "b", "->", "c", ""}));
  EXPECT_FALSE(tokens[5].starts_line);
  EXPECT_EQ(tokens[5].line, 2U);
  EXPECT_TRUE(tokens[7].starts_line);
  EXPECT_EQ(tokens[7].indent, 2U);
}

}  // namespace
}  // namespace bytecnn::exporter::test
