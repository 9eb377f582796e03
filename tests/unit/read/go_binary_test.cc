// One program of the default Go, held against what its own runtime prints; then the same program
// damaged.
#include "read/go/go_binary.h"

#include <elf.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "go_fixture.h"

namespace geist::read {
namespace {

const GoBinary& fixture() {
  static const std::unique_ptr<GoBinary> binary = [] {
    Result<std::unique_ptr<GoBinary>> opened = GoBinary::open(default_fixture());
    EXPECT_TRUE(opened.ok()) << opened.error().message();
    GEIST_CHECK(opened.ok());
    return std::move(opened).value();
  }();
  return *binary;
}

Function must_find(std::string_view name) {
  std::optional<Function> function = fixture().pclntab().find_function_named(name);
  EXPECT_TRUE(function) << name;
  return function.value_or(Function{});
}

TEST(GoBinary, AgreesWithTheRuntimeOnCodeAndTypes) {
  Output printed = run_command({default_fixture()});
  ASSERT_TRUE(printed.ok) << printed.text.substr(0, 1000);
  u64 checked = 0;
  EXPECT_EQ(compare_code(fixture(), printed.text, checked), "");
  EXPECT_GT(checked, 50'000u);
  checked = 0;
  EXPECT_EQ(compare_types(fixture(), printed.text, checked), "");
  EXPECT_GT(checked, 20u);
}

TEST(GoBinary, AgreesWithSymbols) {
  u64 checked = 0;
  for (const Symbol& symbol : fixture().image().read_symbols()) {
    if (symbol.type != STT_FUNC || symbol.size == 0 || !symbol.name.starts_with("main.")) continue;
    std::optional<Function> function = fixture().pclntab().find_function(symbol.addr);
    ASSERT_TRUE(function) << symbol.name;
    EXPECT_EQ(function->name, symbol.name);
    EXPECT_EQ(function->entry, symbol.addr);
    EXPECT_GE(function->end - function->entry, symbol.size);
    ++checked;
  }
  EXPECT_GT(checked, 5u);
}

TEST(GoBinary, FindsFunctions) {
  const Pclntab& tab = fixture().pclntab();
  Function outer = must_find("main.outer");
  EXPECT_EQ(tab.find_function(outer.entry)->index, outer.index);
  EXPECT_EQ(tab.find_function(outer.end - 1)->index, outer.index);
  EXPECT_NE(tab.find_function(outer.end)->index, outer.index);
  EXPECT_EQ(outer.args_size, 40);
  EXPECT_EQ(outer.flag, 0);
  Function goexit = must_find("runtime.goexit");
  EXPECT_EQ(goexit.flag & 1, 1) << "goexit is the top frame of every goroutine";
  EXPECT_EQ(must_find("runtime.growslice").args_size, 40);
  EXPECT_FALSE(tab.find_function_named("main.nothing"));
  EXPECT_FALSE(tab.find_function(ImageAddr(0)));
  EXPECT_FALSE(tab.find_function(fixture().module().maxpc));
  for (u32 i = 0; i < tab.function_count(); ++i) {
    Function function = tab.function(FuncIndex{i});
    EXPECT_LE(function.entry, function.end);
    EXPECT_FALSE(function.name.empty()) << i;
  }
}

TEST(GoBinary, InlineTreeGoesFromTheInnermostFunctionOut) {
  Function outer = must_find("main.outer");
  bool found = false;
  for (ImageAddr pc = outer.entry; pc < outer.end; pc += 1) {
    std::vector<SourceFrame> frames = fixture().pclntab().source_frames(outer, pc);
    ASSERT_FALSE(frames.empty());
    EXPECT_EQ(frames.back().function, "main.outer");
    EXPECT_FALSE(frames.back().inlined);
    if (frames.size() != 3) continue;
    found = true;
    EXPECT_EQ(frames[0].function, "main.inlined");
    EXPECT_EQ(frames[1].function, "main.middle");
    EXPECT_TRUE(frames[0].inlined && frames[1].inlined);
    EXPECT_TRUE(frames[0].file.ends_with("fixture/main.go"));
    EXPECT_EQ(frames[0].line, frames[0].start_line)
        << "the body is on the line of the func keyword";
    EXPECT_EQ(frames[1].line, frames[1].start_line);
    EXPECT_EQ(frames[2].line, outer.start_line + 1) << "the call is on the first line of the body";
  }
  EXPECT_TRUE(found);
}

TEST(GoBinary, SourceLinesAreThoseOfEachInstruction) {
  const Pclntab& tab = fixture().pclntab();
  for (const char* name : {"main.outer", "main.main"}) {
    const Function function = must_find(name);
    std::set<SourceLine> expected;
    for (ImageAddr pc = function.entry; pc < function.end; pc += 1) {
      const SourceFrame at = tab.source_frames(function, pc).front();
      if (at.line > 0) expected.insert({at.file, at.line});
    }
    const std::vector<SourceLine> lines = tab.source_lines(function);
    EXPECT_GT(lines.size(), 2u);
    EXPECT_EQ(std::set<SourceLine>(lines.begin(), lines.end()), expected) << name;
    EXPECT_TRUE(std::is_sorted(lines.begin(), lines.end()));
  }
}

TEST(GoBinary, TypesAreChecked) {
  const Types& types = fixture().types();
  const ModuleData& module = fixture().module();
  EXPECT_FALSE(types.contains(module.types - 8));
  EXPECT_FALSE(types.contains(module.etypes));
  Result<GoType> outside = types.read(module.etypes);
  ASSERT_FALSE(outside.ok());
  EXPECT_NE(outside.error().message().find("not in the type section"), std::string::npos);
  // Nothing in the type section may do harm when taken for a descriptor.
  u64 good = 0;
  for (ImageAddr at = module.types; at < module.etypes; at += 8) {
    Result<GoType> type = types.read(at);
    if (type.ok()) ++good;
  }
  EXPECT_GT(good, 300u);
}

TEST(GoBinary, RefusesTheWrongRelease) {
  int minor = fixture().build_info().release.minor;
  for (int other : {21, 25, 26, 27}) {
    Result<std::unique_ptr<GoBinary>> binary =
        GoBinary::open(default_fixture(), {.assume_go_minor = other});
    if (other == minor) {
      EXPECT_TRUE(binary.ok());
    } else {
      ASSERT_FALSE(binary.ok()) << other;
      EXPECT_NE(binary.error().message().find(fmt::format("do not look like Go 1.{}", other)),
                std::string::npos)
          << binary.error().message();
    }
  }
}

TEST(GoBinary, NeedsNoSections) {
  for (const char* mode : {"exe", "pie"}) {
    GoBuild build;
    build.flags = {std::string("-buildmode=") + mode, "-ldflags=-checklinkname=0"};
    const GoFixture& built = build_fixture(build);
    ASSERT_NE(built.path, "") << built.error;
    std::vector<u8> bytes = read_file(built.path);
    Result<Image> whole = Image::from_bytes(bytes, "prog");
    std::memset(bytes.data() + offsetof(Elf64_Ehdr, e_shoff), 0, 8);
    std::memset(bytes.data() + offsetof(Elf64_Ehdr, e_shnum), 0, 2);
    Result<Image> bare = Image::from_bytes(std::move(bytes), "prog");
    ASSERT_TRUE(whole.ok() && bare.ok());
    ASSERT_TRUE(bare.value().sections().empty());
    Result<std::unique_ptr<GoBinary>> expected = GoBinary::from_image(std::move(whole).value());
    Result<std::unique_ptr<GoBinary>> binary = GoBinary::from_image(std::move(bare).value());
    ASSERT_TRUE(expected.ok()) << expected.error().message();
    ASSERT_TRUE(binary.ok()) << binary.error().message();
    EXPECT_EQ(binary.value()->module().addr, expected.value()->module().addr);
    EXPECT_EQ(binary.value()->pclntab().function_count(),
              expected.value()->pclntab().function_count());
  }
}

TEST(GoBinary, ExperimentsChangeTheLayout) {
  GoBuild build;
  build.flags = {"-ldflags=-checklinkname=0"};
  build.experiment = "nogreenteagc";
  const GoFixture& built = build_fixture(build);
  ASSERT_NE(built.path, "") << built.error;
  Result<std::unique_ptr<GoBinary>> binary = GoBinary::open(built.path);
  ASSERT_TRUE(binary.ok()) << binary.error().message();
  EXPECT_FALSE(binary.value()->layout().has_inline_mark_bits);
  EXPECT_EQ(binary.value()->build_info().experiments, std::vector<std::string>{"nogreenteagc"});
}

// Asks for everything about every n-th function.
void ask_everything(const GoBinary& binary) {
  const Pclntab& tab = binary.pclntab();
  u32 step = std::max(1u, tab.function_count() / 50);
  for (u32 i = 0; i < tab.function_count(); i += step) {
    Function function = tab.function(FuncIndex{i});
    for (ImageAddr pc :
         {function.entry, function.entry + (function.end - function.entry) / 2, function.end}) {
      EXPECT_FALSE(tab.source_frames(function, pc).empty());
      (void)tab.source_lines(function);
      tab.find_sp_delta(function, pc);
      tab.find_locals_map(function, pc);
      tab.find_args_map(function, pc);
      tab.unsafe_point(function, pc);
    }
  }
  const ModuleData& module = binary.module();
  u64 type_step = (module.etypes - module.types) / 200 / 8 * 8 + 8;
  for (ImageAddr at = module.types; at < module.etypes; at += type_step) {
    Result<GoType> ignored = binary.types().read(at);
    static_cast<void>(ignored.ok());
  }
}

// The file with `size` bytes from `offset` on overwritten by what a fixed generator gives.
std::vector<u8> with_noise(std::vector<u8> bytes, u64 offset, u64 size, u64 seed) {
  for (u64 i = offset; i < std::min<u64>(offset + size, bytes.size()); ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    bytes[i] = static_cast<u8>(seed >> 56);
  }
  return bytes;
}

TEST(GoBinary, SurvivesDamageAnywhere) {
  const std::vector<u8> whole = read_file(default_fixture());
  ASSERT_FALSE(whole.empty());
  u64 accepted = 0;
  for (u64 part = 0; part < 64; ++part) {
    std::vector<u8> bytes = with_noise(whole, whole.size() * part / 64, 64, part);
    Result<Image> image = Image::from_bytes(std::move(bytes), "prog");
    if (!image.ok()) continue;
    Result<std::unique_ptr<GoBinary>> binary = GoBinary::from_image(std::move(image).value());
    if (!binary.ok()) continue;
    ++accepted;
    ask_everything(*binary.value());
  }
  EXPECT_GT(accepted, 0u);
}

TEST(GoBinary, MapsOfMoreWordsThanTheFrameHasAreAbsent) {
  std::vector<u8> bytes = read_file(default_fixture());
  Function outer = must_find("main.outer");
  ASSERT_TRUE(fixture().pclntab().find_args_map(outer, outer.entry));
  const Image& image = fixture().image();
  ImageAddr record = fixture().module().pclntable + outer.func_offset;
  // runtime/runtime2.go _func: npcdata at 28; the funcdata offsets follow npcdata words behind it.
  u32 pcdata_count = *find_int<u32>(*image.find_bytes(record, 44), 28);
  u32 args_maps = *find_int<u32>(*image.find_bytes_from(record), 44 + 4 * u64{pcdata_count});
  const u8* map = image.find_bytes(fixture().module().gofunc + args_maps, 8)->data();
  u32 huge = 1u << 20;
  std::memcpy(bytes.data() + (map - image.file_bytes().data()) + 4, &huge, sizeof(huge));
  Result<Image> damaged = Image::from_bytes(std::move(bytes), "prog");
  ASSERT_TRUE(damaged.ok());
  Result<std::unique_ptr<GoBinary>> binary = GoBinary::from_image(std::move(damaged).value());
  ASSERT_TRUE(binary.ok()) << binary.error().message();
  EXPECT_FALSE(binary.value()->pclntab().find_args_map(outer, outer.entry));
}

TEST(GoBinary, SurvivesDamagedTables) {
  const std::vector<u8> whole = read_file(default_fixture());
  ASSERT_FALSE(whole.empty());
  auto file_offset = [](ImageAddr addr) {
    return static_cast<u64>(fixture().image().find_bytes(addr, 1)->data() -
                            fixture().image().file_bytes().data());
  };
  const ModuleData& module = fixture().module();
  u64 module_at = file_offset(module.addr);
  std::vector<std::pair<u64, u64>> places;  // offset, size
  for (u64 word = 0; word < fixture().layout().moduledata_size; word += 8)
    places.push_back({module_at + word, 8});
  for (u64 word = 0; word < 72; word += 8)
    places.push_back({file_offset(module.pc_header) + word, 8});
  for (ImageAddr table : {module.funcnametab, module.cutab, module.filetab, module.pctab,
                          module.pclntable, module.ftab, module.gofunc, module.types}) {
    places.push_back({file_offset(table), 4});
    places.push_back({file_offset(table), 4096});
  }
  for (auto [offset, size] : places) {
    for (u64 seed = 0; seed < 2; ++seed) {
      Result<Image> image = Image::from_bytes(with_noise(whole, offset, size, seed), "prog");
      ASSERT_TRUE(image.ok()) << image.error().message();
      Result<std::unique_ptr<GoBinary>> binary = GoBinary::from_image(std::move(image).value());
      if (binary.ok()) ask_everything(*binary.value());
    }
  }
}

}  // namespace
}  // namespace geist::read
