#include "checkpoint/pickle_machine.hpp"

#include <bit>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checkpoint/printable.hpp"

namespace bytecnn::exporter {
namespace {

constexpr std::size_t max_line = 512;
constexpr std::size_t max_integer_bytes = 1024;
constexpr NodeId unset = 0xffffffff;

// The opcodes of CPython's pickle.py that protocols 2 to 5 write, and the few older ones that they still use.
namespace op {
constexpr unsigned char proto = 0x80, frame = 0x95, stop = '.', mark = '(', pop = '0', pop_mark = '1', dup = '2';
constexpr unsigned char none = 'N', new_true = 0x88, new_false = 0x89, binint = 'J', binint1 = 'K', binint2 = 'M';
constexpr unsigned char long1 = 0x8a, long4 = 0x8b, binfloat = 'G';
constexpr unsigned char binunicode = 'X', short_binunicode = 0x8c, binunicode8 = 0x8d;
constexpr unsigned char binstring = 'T', short_binstring = 'U';  // Python 2's str
constexpr unsigned char binbytes = 'B', short_binbytes = 'C', binbytes8 = 0x8e, bytearray8 = 0x96;
constexpr unsigned char empty_list = ']', empty_dict = '}', empty_tuple = ')', empty_set = 0x8f;
constexpr unsigned char append = 'a', appends = 'e', add_items = 0x90, set_item = 's', set_items = 'u';
constexpr unsigned char tuple = 't', tuple1 = 0x85, tuple2 = 0x86, tuple3 = 0x87, list = 'l', dict = 'd';
constexpr unsigned char frozenset = 0x91;
constexpr unsigned char binput = 'q', long_binput = 'r', memoize = 0x94, binget = 'h', long_binget = 'j';
constexpr unsigned char global = 'c', stack_global = 0x93, reduce = 'R', new_object = 0x81, new_object_ex = 0x92;
constexpr unsigned char build = 'b', binpersid = 'Q';
}  // namespace op

class Machine {
 public:
  Machine(ByteSpan bytes, std::size_t position, PickleGraph& graph, const CheckpointLimits& limits)
      : reader_(bytes, "the pickle", position), graph_(graph), limits_(limits) {}

  NodeId run();
  [[nodiscard]] std::size_t position() const noexcept { return reader_.position(); }

 private:
  [[noreturn]] static void fail(std::string message) { throw Error(ErrorCode::syntax, std::move(message)); }

  /// One instruction; true at STOP.
  bool step(unsigned char opcode);
  bool step_value(unsigned char opcode);
  bool step_container(unsigned char opcode);
  bool step_memo(unsigned char opcode);
  bool step_object(unsigned char opcode);

  void push(NodeId id) {
    if (stack_.size() == stack_.capacity()) graph_.charge(sizeof(NodeId) * (stack_.size() + 16));
    stack_.push_back(id);
  }
  void require(std::size_t count) const {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() < floor + count) fail("the pickle's stack is empty where a value is needed");
  }
  NodeId pop() {
    require(1);
    const NodeId id = stack_.back();
    stack_.pop_back();
    return id;
  }
  [[nodiscard]] NodeId top() const {
    require(1);
    return stack_.back();
  }
  /// Where the values above the last mark begin; the mark is removed.
  std::size_t take_mark() {
    if (marks_.empty()) fail("the pickle's stack has no mark where one is needed");
    const std::size_t begin = marks_.back();
    marks_.pop_back();
    return begin;
  }
  [[nodiscard]] std::span<const NodeId> above(std::size_t begin) const {
    return std::span<const NodeId>(stack_).subspan(begin);
  }

  void push_text(NodeKind kind, std::uint64_t length) { push(graph_.make_text(kind, as_text(reader_.take(length)))); }
  void push_long(std::uint64_t length);
  void push_sequence(NodeKind kind, std::size_t begin);
  void append(std::size_t begin);
  void set_items(std::size_t begin);
  void memoize(std::uint64_t slot);
  void recall(std::uint64_t slot);
  void build();

  ByteReader reader_;
  PickleGraph& graph_;
  const CheckpointLimits& limits_;
  std::vector<NodeId> stack_;
  std::vector<std::size_t> marks_;
  std::vector<NodeId> memo_;
  std::size_t memoized_ = 0;
};

NodeId Machine::run() {
  if (reader_.number<std::uint8_t>() != op::proto) fail("not a pickle of protocol 2 or later");
  const auto protocol = reader_.number<std::uint8_t>();
  if (protocol < 2 || protocol > 5) {
    throw Error(ErrorCode::unsupported, "unknown pickle protocol", {}, "2 to 5", std::to_string(protocol));
  }
  for (std::uint64_t count = 0;; ++count) {
    if (count >= limits_.max_instructions) {
      throw Error(ErrorCode::limit, "the pickle has too many instructions", {},
                  "at most " + std::to_string(limits_.max_instructions));
    }
    if (step(reader_.number<std::uint8_t>())) break;
  }
  const NodeId result = pop();
  if (!stack_.empty() || !marks_.empty()) fail("the pickle ends with values left on its stack");
  return result;
}

bool Machine::step(unsigned char opcode) {
  switch (opcode) {
    case op::stop:
      return true;
    case op::proto: {
      const auto protocol = reader_.number<std::uint8_t>();
      if (protocol < 2 || protocol > 5) fail("the pickle changes its protocol to " + std::to_string(protocol));
      return false;
    }
    case op::frame:
      if (reader_.number<std::uint64_t>() > reader_.remaining()) fail("a frame of the pickle reaches beyond its end");
      return false;
    case op::mark:
      if (marks_.size() == marks_.capacity()) graph_.charge(sizeof(std::size_t) * (marks_.size() + 16));
      marks_.push_back(stack_.size());
      return false;
    case op::pop:
      // As in CPython: with nothing above the last mark, POP removes the mark.
      if (!marks_.empty() && marks_.back() == stack_.size()) {
        marks_.pop_back();
      } else {
        (void)pop();
      }
      return false;
    case op::pop_mark:
      stack_.resize(take_mark());
      return false;
    case op::dup:
      push(top());
      return false;
    default:
      break;
  }
  if (step_value(opcode) || step_container(opcode) || step_memo(opcode) || step_object(opcode)) return false;
  throw Error(ErrorCode::unsupported, "the pickle uses an instruction that torch.save does not write: " +
                                          printable(std::string_view(reinterpret_cast<const char*>(&opcode), 1)));
}

bool Machine::step_value(unsigned char opcode) {
  switch (opcode) {
    case op::none:
      push(PickleGraph::none_id);
      return true;
    case op::new_true:
      push(graph_.make(NodeKind::boolean, 1));
      return true;
    case op::new_false:
      push(graph_.make(NodeKind::boolean, 0));
      return true;
    case op::binint:
      push(graph_.make(NodeKind::integer, reader_.number<std::int32_t>()));
      return true;
    case op::binint1:
      push(graph_.make(NodeKind::integer, reader_.number<std::uint8_t>()));
      return true;
    case op::binint2:
      push(graph_.make(NodeKind::integer, reader_.number<std::uint16_t>()));
      return true;
    case op::long1:
      push_long(reader_.number<std::uint8_t>());
      return true;
    case op::long4:
      push_long(reader_.number<std::uint32_t>());
      return true;
    case op::binfloat: {
      std::uint64_t bits = 0;  // the one big-endian number of the format
      for (const std::byte byte : reader_.take(8)) bits = bits << 8U | std::to_integer<std::uint64_t>(byte);
      push(graph_.make_real(std::bit_cast<double>(bits)));
      return true;
    }
    case op::binunicode:
      push_text(NodeKind::text, reader_.number<std::uint32_t>());
      return true;
    case op::short_binunicode:
      push_text(NodeKind::text, reader_.number<std::uint8_t>());
      return true;
    case op::binunicode8:
      push_text(NodeKind::text, reader_.number<std::uint64_t>());
      return true;
    case op::binstring:
      push_text(NodeKind::text, reader_.number<std::uint32_t>());
      return true;
    case op::short_binstring:
      push_text(NodeKind::text, reader_.number<std::uint8_t>());
      return true;
    case op::binbytes:
      push_text(NodeKind::bytes, reader_.number<std::uint32_t>());
      return true;
    case op::short_binbytes:
      push_text(NodeKind::bytes, reader_.number<std::uint8_t>());
      return true;
    case op::binbytes8:
    case op::bytearray8:
      push_text(NodeKind::bytes, reader_.number<std::uint64_t>());
      return true;
    default:
      return false;
  }
}

bool Machine::step_container(unsigned char opcode) {
  switch (opcode) {
    case op::empty_list:
      push(graph_.make(NodeKind::list));
      return true;
    case op::empty_dict:
      push(graph_.make(NodeKind::dict));
      return true;
    case op::empty_tuple:
      push(graph_.make(NodeKind::tuple));
      return true;
    case op::empty_set:
      push(graph_.make(NodeKind::set));
      return true;
    case op::append:
      require(2);
      append(stack_.size() - 1);
      return true;
    case op::appends:
    case op::add_items:
      append(take_mark());
      return true;
    case op::set_item:
      require(3);
      set_items(stack_.size() - 2);
      return true;
    case op::set_items:
      set_items(take_mark());
      return true;
    case op::tuple:
      push_sequence(NodeKind::tuple, take_mark());
      return true;
    case op::tuple1:
    case op::tuple2:
    case op::tuple3: {
      const std::size_t size = opcode - op::tuple1 + 1U;
      require(size);
      push_sequence(NodeKind::tuple, stack_.size() - size);
      return true;
    }
    case op::list:
      push_sequence(NodeKind::list, take_mark());
      return true;
    case op::frozenset:
      push_sequence(NodeKind::set, take_mark());
      return true;
    case op::dict: {
      const std::size_t begin = take_mark();
      if ((stack_.size() - begin) % 2 != 0) fail("a dict with a key without a value");
      push_sequence(NodeKind::dict, begin);
      return true;
    }
    default:
      return false;
  }
}

bool Machine::step_memo(unsigned char opcode) {
  switch (opcode) {
    case op::binput:
      memoize(reader_.number<std::uint8_t>());
      return true;
    case op::long_binput:
      memoize(reader_.number<std::uint32_t>());
      return true;
    case op::memoize:
      memoize(memoized_);
      return true;
    case op::binget:
      recall(reader_.number<std::uint8_t>());
      return true;
    case op::long_binget:
      recall(reader_.number<std::uint32_t>());
      return true;
    default:
      return false;
  }
}

bool Machine::step_object(unsigned char opcode) {
  switch (opcode) {
    case op::global: {
      const std::string_view module = reader_.line(max_line);
      push(graph_.make_global(module, reader_.line(max_line)));
      return true;
    }
    case op::stack_global: {
      const NodeId name = pop();
      const NodeId module = pop();
      if (!graph_.is(name, NodeKind::text) || !graph_.is(module, NodeKind::text)) fail("a class without a name");
      push(graph_.make_global(graph_.text(module), graph_.text(name)));
      return true;
    }
    case op::reduce: {
      const NodeId arguments = pop();
      const NodeId callable = pop();
      push(reduce(graph_, callable, arguments, limits_));
      return true;
    }
    case op::new_object: {
      const NodeId arguments = pop();
      const NodeId callable = pop();
      push(graph_.make_object(callable, arguments));
      return true;
    }
    case op::new_object_ex: {
      (void)pop();  // keyword arguments
      const NodeId arguments = pop();
      const NodeId callable = pop();
      push(graph_.make_object(callable, arguments));
      return true;
    }
    case op::build:
      build();
      return true;
    case op::binpersid:
      push(persistent_object(graph_, pop()));
      return true;
    default:
      return false;
  }
}

void Machine::push_long(std::uint64_t length) {
  if (length > max_integer_bytes) throw Error(ErrorCode::limit, "the pickle has an integer of over 1024 bytes");
  const ByteSpan bytes = reader_.take(length);
  if (bytes.size() > 8) {
    push(graph_.make_text(NodeKind::big_integer, as_text(bytes)));
    return;
  }
  const bool negative = !bytes.empty() && (std::to_integer<unsigned>(bytes.back()) & 0x80U) != 0;
  std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8U | std::to_integer<std::uint64_t>(bytes[i]);
  push(graph_.make(NodeKind::integer, static_cast<std::int64_t>(value)));
}

void Machine::push_sequence(NodeKind kind, std::size_t begin) {
  const NodeId id = graph_.make_sequence(kind, above(begin));
  stack_.resize(begin);
  push(id);
}

/// The values from `begin` on are appended to the list, set or object below them.
void Machine::append(std::size_t begin) {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (begin < floor + 1) fail("nothing to append to");
  const NodeId target = stack_[begin - 1];
  if (graph_.is(target, NodeKind::list) || graph_.is(target, NodeKind::set)) {
    graph_.append(target, above(begin));
  } else if (graph_.is(target, NodeKind::object)) {
    graph_.append_to(graph_.mutable_object(target).list_items, above(begin));
  } else {
    fail("values are appended to something that is not a list");
  }
  stack_.resize(begin);
}

void Machine::set_items(std::size_t begin) {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (begin < floor + 1) fail("no dict to put items into");
  if ((stack_.size() - begin) % 2 != 0) fail("a dict with a key without a value");
  const NodeId target = stack_[begin - 1];
  if (graph_.is(target, NodeKind::dict)) {
    graph_.append(target, above(begin));
  } else if (graph_.is(target, NodeKind::object)) {
    graph_.append_to(graph_.mutable_object(target).dict_items, above(begin));
  } else {
    fail("items are put into something that is not a dict");
  }
  stack_.resize(begin);
}

void Machine::memoize(std::uint64_t slot) {
  // Every pickler numbers its memo from 0 on without gaps worth mentioning.
  constexpr std::uint64_t largest_gap = 65536;
  if (slot > memo_.size() + largest_gap) fail("the pickle remembers a value under an absurd number");
  if (slot >= memo_.size()) {
    if (slot >= memo_.capacity())
      graph_.charge(sizeof(NodeId) * (2 * (static_cast<std::size_t>(slot) + 1) - memo_.size()));
    memo_.resize(static_cast<std::size_t>(slot) + 1, unset);
  }
  if (memo_[static_cast<std::size_t>(slot)] == unset) ++memoized_;
  memo_[static_cast<std::size_t>(slot)] = top();
}

void Machine::recall(std::uint64_t slot) {
  if (slot >= memo_.size() || memo_[static_cast<std::size_t>(slot)] == unset) {
    fail("the pickle asks for value " + std::to_string(slot) + " of its memo, which was never set");
  }
  push(memo_[static_cast<std::size_t>(slot)]);
}

void Machine::build() {
  const NodeId state = pop();
  const NodeId target = top();
  // Attributes of an OrderedDict (`_metadata`), a Parameter or a tensor say nothing about the weights.
  if (graph_.is(target, NodeKind::object)) graph_.mutable_object(target).state = state;
}

}  // namespace

NodeId run_pickle(ByteSpan bytes, std::size_t& position, PickleGraph& graph, const CheckpointLimits& limits) {
  Machine machine(bytes, position, graph, limits);
  try {
    const NodeId result = machine.run();
    position = machine.position();
    return result;
  } catch (const Error& error) {
    throw error.at("byte " + std::to_string(machine.position()));
  }
}

}  // namespace bytecnn::exporter
