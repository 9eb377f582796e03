// Printing values out of memory that nobody vouches for: it ends, whatever points to whatever.
#include "judge/values.h"

#include <gtest/gtest.h>

#include <functional>

#include "../read/go_fixture.h"

namespace geist::judge {
namespace {

// Every address is readable; the aligned word at each comes from a function.
class MadeUpMemory : public process::Memory {
 public:
  bool read(TargetAddr addr, std::span<u8> out) const override {
    for (usize i = 0; i < out.size(); ++i) {
      const u64 at = addr.value + i;
      out[i] = static_cast<u8>(word(at & ~u64{7}) >> (at & 7) * 8);
    }
    return true;
  }
  usize read_some(TargetAddr addr, std::span<u8> out) const override {
    read(addr, out);
    return out.size();
  }
  std::function<u64(u64)> word = [](u64) { return 0; };
};

class Values : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = read::GoBinary::open(read::default_fixture(), {});
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    binary = std::move(opened).value();
    context.emplace(Context{*binary, nullptr, table, plan, memory, symbols,
                            heap::SpanTable(memory, binary->layout(), TargetAddr(0)),
                            heap::ViewScanner(memory, *binary, symbols, LoadBias{0}),
                            std::nullopt});
  }
  // The first type of this kind whose size is as said.
  ImageAddr find_type(read::Kind kind, u64 size) const {
    const read::ModuleData& module = binary->module();
    for (ImageAddr at = module.types; at < module.etypes; at = at + 8) {
      Result<read::GoType> type = binary->types().read(at);
      if (type.ok() && type->kind == kind && type->size_bytes == size) return at;
    }
    return ImageAddr(0);
  }
  std::string print(u64 first, u64 second, ImageAddr type) {
    const u64 words[] = {first, second};
    return ValuePrinter(*context).print({reinterpret_cast<const u8*>(words), sizeof words}, type);
  }

  std::unique_ptr<read::GoBinary> binary;
  sites::SiteTable table;
  probe::PatchPlan plan;
  MadeUpMemory memory;
  heap::RuntimeSymbols symbols;
  std::optional<Context> context;
};

// An interface whose type word names an interface type, and whose data is itself.
TEST_F(Values, AnInterfaceThatHoldsItselfEnds) {
  const ImageAddr type = find_type(read::Kind::kInterface, 16);
  ASSERT_TRUE(type);
  constexpr u64 kSelf = 0xc000010000;
  memory.word = [&](u64 at) { return at % 16 == 0 ? type.value : kSelf; };
  EXPECT_EQ(print(type.value, kSelf, type), "0xc000010000");
}

// Whatever kind of type a value says it is of, memory in which every word is again such a value.
TEST_F(Values, NoKindOfValueLeadsOnForEver) {
  constexpr u64 kSelf = 0xc000010000;
  u64 printed = 0;
  const read::ModuleData& module = binary->module();
  for (ImageAddr at = module.types; at < module.etypes; at = at + 8) {
    Result<read::GoType> type = binary->types().read(at);
    if (!type.ok() || type->size_bytes != 16) continue;
    memory.word = [&](u64 word) { return word % 16 == 0 ? at.value : kSelf; };
    EXPECT_LT(print(kSelf, kSelf, at).size(), usize{1} << 20);
    EXPECT_LT(print(at.value, kSelf, at).size(), usize{1} << 20);
    ++printed;
  }
  EXPECT_GT(printed, 10u);
}

}  // namespace
}  // namespace geist::judge
