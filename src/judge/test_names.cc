// Every test runs below testing.tRunner, which holds it in its variable t:
//
//   append ◀─ … ◀─ TestOrders.func1 ◀─ testing.tRunner(t, fn)      t.common.name =
//   "TestOrders/two_chunks"
//
// A goroutine that a test started has no such frame. It belongs to the one test that runs, where
// only one does: a test that waits for its subtest stands in (*T).Run and does not count. Source:
// testing/testing.go, testing/benchmark.go (tRunner, B.runN, common.name), Go 1.21 to 1.27.
#include "judge/test_names.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "heap/goroutines.h"
#include "judge/variables.h"

namespace geist::judge {
namespace {

constexpr u64 kMaxNameBytes = 1024;
constexpr u64 kMaxStackBytes = 256 << 10;
constexpr u32 kMaxFrames = 64;
constexpr usize kMaxGoroutines = 2000;

// What runs a test function, and the variable in which it has the test.
struct Runner {
  std::string_view function;
  std::string_view variable;
};
constexpr std::array kRunners{Runner{"testing.tRunner", "t"}, Runner{"testing.(*B).runN", "b"}};
// A test stands there while its subtests run.
constexpr std::array<std::string_view, 3> kWaiting{"testing.(*T).Run", "testing.(*B).Run",
                                                   "testing.(*F).Fuzz"};

// The string field common.name of a *testing.T or *testing.B.
std::string read_name(const Context& context, const read::DebugType* pointer, u64 address) {
  if (pointer == nullptr || pointer->kind != read::Kind::kPointer) return "";
  const read::DebugType::Field* common =
      pointer->elem == nullptr ? nullptr : pointer->elem->find_field("common");
  const read::DebugType::Field* name =
      common == nullptr || common->type == nullptr ? nullptr : common->type->find_field("name");
  if (name == nullptr) return "";
  TargetAddr header(address + common->offset + name->offset);
  std::optional<u64> text = context.memory.find<u64>(header);
  std::optional<u64> size = context.memory.find<u64>(header + 8);
  if (!text || !size || *size == 0 || *size > kMaxNameBytes) return "";
  std::string out(*size, '\0');
  if (!context.memory.read(TargetAddr(*text), {reinterpret_cast<u8*>(out.data()), out.size()}))
    return "";
  return out;
}

// "TestOrders" of "example.com/shop.TestOrders.func1"; empty for any other function.
std::string test_of_function(std::string_view function) {
  function.remove_prefix(std::min(function.rfind('/') + 1, function.size()));
  usize dot = function.find('.');
  if (dot == std::string_view::npos) return "";
  std::string_view name = function.substr(dot + 1);
  name = name.substr(0, name.find('.'));
  for (std::string_view kind : {"Test", "Benchmark", "Fuzz", "Example"}) {
    // go test takes no function whose next letter is small: cmd/go/internal/load/test.go, isTest.
    bool is_test = name.starts_with(kind) && (name.size() == kind.size() ||
                                              name[kind.size()] < 'a' || name[kind.size()] > 'z');
    if (is_test) return std::string(name);
  }
  return "";
}

// The innermost test of a stack: by the runner's variable, else by the function that the runner
// called.
std::string find_on_stack(Context& context, const std::vector<heap::StackFrame>& frames,
                          const heap::StackCopy& stack) {
  std::string by_function;
  for (const heap::StackFrame& frame : frames) {
    if (std::string name = test_of_function(frame.function.name); !name.empty()) by_function = name;
    auto runner = std::find_if(kRunners.begin(), kRunners.end(),
                               [&](const Runner& r) { return r.function == frame.function.name; });
    if (runner == kRunners.end()) continue;
    if (context.debug == nullptr) break;
    for (const read::Variable& variable :
         context.debug->variables_at(frame.lookup_pc(), frame.pc)) {
      if (variable.name != runner->variable || variable.function != runner->function) continue;
      std::optional<Word> word = find_word(variable, 0, {frame, stack});
      if (!word) continue;
      std::string name = read_name(context, variable.type, word->value);
      if (!name.empty()) return name;
    }
    break;
  }
  return by_function;
}

bool waits_for_subtest(const std::vector<heap::StackFrame>& frames) {
  return std::any_of(frames.begin(), frames.end(), [](const heap::StackFrame& frame) {
    return std::find(kWaiting.begin(), kWaiting.end(), frame.function.name) != kWaiting.end();
  });
}

// The test that runs, when it is the only one.
std::string find_only_test(Context& context) {
  u64 damaged = 0;
  const read::Layout& layout = context.binary.layout();
  std::vector<heap::Goroutine> all =
      heap::read_goroutines(context.memory, layout, context.symbols, context.bias(), &damaged);
  if (all.size() > kMaxGoroutines || damaged != 0) return "";
  std::set<std::string> names;
  for (const heap::Goroutine& goroutine : all) {
    std::optional<heap::ParkedStack> parked = heap::unwind_parked(
        context.memory, context.binary, context.bias(), goroutine, kMaxStackBytes, kMaxFrames);
    if (!parked || waits_for_subtest(parked->unwound.frames)) continue;
    std::string name = find_on_stack(context, parked->unwound.frames, parked->copy());
    if (!name.empty()) names.insert(name);
  }
  return names.size() == 1 ? *names.begin() : "";
}

}  // namespace

std::string find_test_name(Context& context, const Append& append) {
  if (!context.tested_package) return "";
  std::string name = find_on_stack(context, append.frames, append.stack);
  if (name.empty()) name = find_only_test(context);
  return name.empty() ? name : *context.tested_package + "." + name;
}

}  // namespace geist::judge
