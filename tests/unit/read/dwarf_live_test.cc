// DebugInfo against the truth: the program in dwarf_program/ is built with every Go release,
// stopped under ptrace in main.stop(), and what the debug information says of the callers'
// variables is compared with what is in memory.
//
//   int3 at main.stop ──▶ name of the stop (its argument) ──▶ frames by RBP
//        ──▶ variables_at(return pc - 1, return pc)
//        ──▶ pieces → bytes ──▶ slices and strings followed ──▶ compared with kExpected
//
// Registers of a caller are gone at the stop, so only words in memory count; the argument of
// main.stop itself is looked up in registers. A release that is not installed is skipped by name.
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include "go_fixture.h"
#include "read/dwarf/debug_info.h"

namespace geist::read {
namespace {

// One variable at one stop. `text` is how show() writes the value; a word that is not in memory is
// "?".
struct Expected {
  const char* stop;
  const char* function;
  u32 inline_depth;
  const char* name;
  const char* text;
  bool is_escaped = false;
  // The optimiser of some release keeps no record of the variable or of a word of it.
  bool is_optional = false;
};

const std::vector<Expected> kExpected = {
    {"params", "main.params", 0, "a", "[1 2 3] cap 5"},
    {"params", "main.params", 0, "s", "\"some text\""},
    {"params", "main.params", 0, "n", "[\"n1\" \"n2\" \"n3\"] cap 3"},
    {"params", "main.params", 0, "r", "{Inner {Items [1 2] cap 4 Title \"title\"}}"},
    {"locals", "main.locals", 0, "x", "[1 2 70] cap 5", false, true},
    {"locals", "main.locals", 0, "y", "[1 2 70] cap 5", false, true},
    {"locals", "main.locals", 0, "tail", "[2 70] cap 4"},
    {"inlined", "main.innermost", 2, "deep", "[1 2 3] cap 5"},
    {"inlined", "main.middle", 1, "xs", "[1 2 3] cap 5"},
    {"inlined", "main.inlined", 0, "outer", "[1 2 3] cap 5"},
    {"by value", "main.closures.func1", 0, "r", "[1 2 3 9] cap 5"},
    {"by reference", "main.closures.func2", 0, "byReference", "[8] cap 1", true},
    {"closures", "main.closures", 0, "byReference", "[8] cap 1", true},
    {"generic", "main.generic[go.shape.int]", 0, "out", "[1 2 7] cap 4", false, true},
    {"generic", "main.generic[go.shape.int]", 0, "xs", "[1 2] cap 4"},
    {"generic", "main.generic[go.shape.string]", 0, "out", "[\"p\" \"q\"] cap 2", false, true},
    {"generic", "main.generic[go.shape.string]", 0, "xs", "[\"p\"] cap 1"},
    {"escaping", "main.escaping", 0, "escaped", "[1 2 3 4] cap 6", true},
    {"blocks", "main.blocks", 0, "shadowed", "[1 3] cap 5", false, true},
    {"blocks", "main.blocks", 0, "xs", "[1 3 3] cap 5"},
    {"method", "main.(*Record).method", 0, "names", "[\"m1\" \"m2\"] cap 2"},
    {"stack array", "main.stackArray", 0, "array", "[0 0 11 0]", false, true},
};

struct Build {
  const char* toolchain;
  const char* flag;
};

void PrintTo(const Build& build, std::ostream* out) {
  *out << build.toolchain << " " << build.flag;
}

struct Built {
  std::string path;   // empty when it could not be built
  std::string error;  // what go build said
};

// Where the programs are, until the test program ends.
class Folder {
 public:
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "geist-dwarf-test-XXXXXX";
    if (::mkdtemp(pattern.data()) != nullptr) path = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    if (!path.empty()) std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path;
};

// Each build is made once.
const Built& build_program(const Build& build) {
  static const Folder folder;
  static std::map<std::string, Built> all;
  auto [it, is_new] = all.try_emplace(fmt::format("{} {}", build.toolchain, build.flag));
  Built& built = it->second;
  if (!is_new) return built;
  built.path = fmt::format("{}/program{}", folder.path, all.size());
  std::vector<std::string> argv = {
      "go", "build",   "-C", GEIST_SOURCE_DIR "/tests/unit/read/dwarf_program", "-buildvcs=false",
      "-o", built.path};
  if (*build.flag != '\0') argv.push_back(build.flag);
  Output output = run_command(argv, {"GOFLAGS=", "GOARCH=amd64", "GOWORK=off",
                                     std::string("GOTOOLCHAIN=") + build.toolchain});
  if (!output.ok) built = {"", output.text};
  return built;
}

// A process stopped again and again at one address. Only its first thread is traced, which is the
// only one that gets there (main locks its goroutine to it).
class StoppedProcess {
 public:
  explicit StoppedProcess(const std::string& path) {
    pid_ = ::fork();
    if (pid_ == 0) {
      ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      ::execl(path.c_str(), path.c_str(), nullptr);
      ::_exit(127);
    }
    int status = 0;
    alive_ = ::waitpid(pid_, &status, 0) == pid_ && WIFSTOPPED(status);
  }
  ~StoppedProcess() {
    if (!alive_) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  StoppedProcess(const StoppedProcess&) = delete;
  StoppedProcess& operator=(const StoppedProcess&) = delete;

  u64 read_entry() const {
    std::vector<u8> words = read_file(fmt::format("/proc/{}/auxv", pid_));
    for (u64 at = 0; at + 16 <= words.size(); at += 16) {
      if (find_int<u64>(words, at) == u64{AT_ENTRY})
        return find_int<u64>(words, at + 8).value_or(0);
    }
    return 0;
  }

  // Runs until `addr`; false when the process has ended.
  bool run_to(u64 addr) {
    step_over_breakpoint();
    original_ = ::ptrace(PTRACE_PEEKTEXT, pid_, addr, nullptr);
    breakpoint_ = addr;
    ::ptrace(PTRACE_POKETEXT, pid_, addr, (original_ & ~0xffL) | 0xcc);
    int signal = 0;
    while (true) {
      ::ptrace(PTRACE_CONT, pid_, nullptr, signal);
      int status = 0;
      if (::waitpid(pid_, &status, 0) != pid_ || !WIFSTOPPED(status)) return alive_ = false;
      signal = WSTOPSIG(status);
      if (signal == SIGTRAP) break;
    }
    user_regs_struct regs = registers();
    regs.rip = breakpoint_;
    ::ptrace(PTRACE_SETREGS, pid_, nullptr, &regs);
    ::ptrace(PTRACE_POKETEXT, pid_, breakpoint_, original_);
    return true;
  }

  user_regs_struct registers() const {
    user_regs_struct regs{};
    ::ptrace(PTRACE_GETREGS, pid_, nullptr, &regs);
    return regs;
  }

  std::vector<u8> read(u64 addr, u64 size) const {
    std::vector<u8> bytes(size);
    iovec here{bytes.data(), size};
    iovec there{reinterpret_cast<void*>(addr), size};
    if (::process_vm_readv(pid_, &here, 1, &there, 1, 0) != static_cast<ssize_t>(size))
      bytes.clear();
    return bytes;
  }
  u64 read_word(u64 addr) const { return find_int<u64>(read(addr, 8), 0).value_or(0); }

 private:
  void step_over_breakpoint() {
    if (breakpoint_ == 0) return;
    int signal = 0;
    do {
      int status = 0;
      ::ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr);
      if (::waitpid(pid_, &status, 0) != pid_ || !WIFSTOPPED(status)) return;
      signal = WSTOPSIG(status);
      // Preemption asks again by itself.
    } while (signal != SIGTRAP);
  }

  pid_t pid_ = -1;
  bool alive_ = false;
  u64 breakpoint_ = 0;
  long original_ = 0;
};

// The bytes of a variable as far as they are in memory.
struct Value {
  std::vector<u8> bytes;
  std::vector<bool> known;

  std::optional<u64> find_word(u64 at) const {
    for (u64 i = at; i < at + 8; i++) {
      if (i >= known.size() || !known[i]) return std::nullopt;
    }
    return find_int<u64>(bytes, at);
  }
};

void copy_into(Value& value, u64 at, const std::vector<u8>& bytes) {
  for (u64 i = 0; i < bytes.size() && at + i < value.bytes.size(); i++) {
    value.bytes[at + i] = bytes[i];
    value.known[at + i] = true;
  }
}

Value read_value(const StoppedProcess& process, const Variable& variable, u64 cfa) {
  Value value;
  value.bytes.resize(variable.type->size_bytes);
  value.known.resize(variable.type->size_bytes);
  for (const Piece& piece : variable.pieces) {
    if (piece.where != Piece::Where::kCfa) continue;
    u64 place = cfa + static_cast<u64>(piece.offset);
    if (variable.is_escaped) {
      copy_into(value, 0, process.read(process.read_word(place), variable.type->size_bytes));
    } else {
      copy_into(value, piece.byte_offset, process.read(place, piece.size_bytes));
    }
  }
  return value;
}

// Slices, strings, numbers and structs as text; "?" where the words are not in memory.
class Shower {
 public:
  explicit Shower(const StoppedProcess& process) : process_(process) {}

  std::string show(const DebugType& type, const Value& value, u64 at) {
    if (type.kind == Kind::kInt) return show_word(value, at);
    if (type.kind == Kind::kString) return show_string(value, at);
    if (type.kind == Kind::kSlice) return show_slice(type, value, at);
    if (type.kind == Kind::kStruct) return show_struct(type, value, at);
    if (type.kind == Kind::kArray) return show_array(type, value, at);
    return "-";
  }

 private:
  static std::string show_word(const Value& value, u64 at) {
    std::optional<u64> word = value.find_word(at);
    return word ? fmt::format("{}", *word) : "?";
  }

  std::string show_string(const Value& value, u64 at) {
    std::optional<u64> ptr = value.find_word(at);
    std::optional<u64> len = value.find_word(at + 8);
    if (!ptr || !len || *len > 100) return "?";
    std::vector<u8> bytes = process_.read(*ptr, *len);
    return "\"" + std::string(bytes.begin(), bytes.end()) + "\"";
  }

  std::string show_slice(const DebugType& type, const Value& value, u64 at) {
    std::optional<u64> ptr = value.find_word(at);
    std::optional<u64> len = value.find_word(at + 8);
    std::string cap = show_word(value, at + 16);
    if (!ptr || !len || *len > 100 || type.elem == nullptr) return "[?] cap " + cap;
    std::vector<std::string> elements;
    for (u64 i = 0; i < *len; i++) {
      Value element;
      element.bytes = process_.read(*ptr + i * type.elem->size_bytes, type.elem->size_bytes);
      element.known.assign(element.bytes.size(), true);
      elements.push_back(show(*type.elem, element, 0));
    }
    return fmt::format("[{}] cap {}", fmt::join(elements, " "), cap);
  }

  std::string show_array(const DebugType& type, const Value& value, u64 at) {
    std::vector<std::string> elements;
    for (u64 i = 0; i < type.length && type.elem->kind == Kind::kInt; i++) {
      elements.push_back(show_word(value, at + i * type.elem->size_bytes));
    }
    return elements.empty() ? "-" : fmt::format("[{}]", fmt::join(elements, " "));
  }

  std::string show_struct(const DebugType& type, const Value& value, u64 at) {
    std::vector<std::string> fields;
    for (const DebugType::Field& field : type.fields) {
      if (field.type == nullptr) continue;
      std::string text = show(*field.type, value, at + field.offset);
      if (text != "-" && field.name != "local") fields.push_back(field.name + " " + text);
    }
    return fmt::format("{{{}}}", fmt::join(fields, " "));
  }

  const StoppedProcess& process_;
};

struct Seen {
  const Variable variable;
  std::string text;
};

class DebugInfoLive : public testing::TestWithParam<Build> {
 protected:
  void SetUp() override {
    const Built& built = build_program(GetParam());
    if (built.path.empty()) GTEST_SKIP() << GetParam().toolchain << ": " << built.error;
    path_ = built.path;
    Result<Image> image = Image::open(path_);
    ASSERT_TRUE(image.ok()) << image.error().message();
    image_.emplace(std::move(image).value());
    Result<std::unique_ptr<DebugInfo>> info = DebugInfo::open(*image_);
    ASSERT_TRUE(info.ok()) << info.error().message();
    info_ = std::move(info).value();
    ASSERT_NE(info_, nullptr);
  }

  bool has_captures() const { return std::string(GetParam().toolchain) >= "go1.23"; }

  ImageAddr symbol(const char* name) const {
    std::optional<Symbol> found = image_->find_symbol(name);
    EXPECT_TRUE(found.has_value()) << name;
    return found ? found->addr : ImageAddr();
  }

  // The name of the stop, from where main.stop's argument is said to be on entry.
  std::string read_stop(const StoppedProcess& process, ImageAddr entry) {
    user_regs_struct regs = process.registers();
    std::map<u8, u64> by_number = {{0, regs.rax}, {3, regs.rbx}, {2, regs.rcx}, {5, regs.rdi}};
    u64 words[2] = {};
    for (const Variable& variable : info_->variables_at(entry, entry)) {
      if (variable.name != "name") continue;
      EXPECT_EQ(variable.type->kind, Kind::kString);
      EXPECT_TRUE(variable.is_parameter);
      for (const Piece& piece : variable.pieces) {
        EXPECT_EQ(piece.where, Piece::Where::kRegister);
        words[piece.byte_offset / 8] = by_number[piece.reg];
      }
    }
    std::vector<u8> bytes = process.read(words[0], std::min<u64>(words[1], 100));
    return {bytes.begin(), bytes.end()};
  }

  // All variables of the stopped goroutine's callers, by function, depth and name; the innermost
  // scope first.
  std::vector<Seen> read_callers(const StoppedProcess& process, LoadBias bias) {
    std::vector<Seen> seen;
    user_regs_struct regs = process.registers();
    u64 return_pc = process.read_word(regs.rsp);
    u64 frame = regs.rbp;
    for (int depth = 0; depth < 8 && frame != 0; depth++) {
      ImageAddr pc = bias.to_image(TargetAddr(return_pc));
      for (const Variable& variable : info_->variables_at(pc - 1, pc)) {
        Value value = read_value(process, variable, frame + 16);
        seen.push_back({variable, Shower(process).show(*variable.type, value, 0)});
      }
      return_pc = process.read_word(frame + 8);
      frame = process.read_word(frame);
    }
    return seen;
  }

  std::string path_;
  std::optional<Image> image_;
  std::unique_ptr<DebugInfo> info_;
};

void expect_variables(const std::string& stop, const std::vector<Seen>& seen,
                      std::set<const Expected*>& found) {
  for (const Expected& row : kExpected) {
    if (row.stop != stop) continue;
    for (const Seen& one : seen) {
      const Variable& variable = one.variable;
      if (variable.function != row.function || variable.name != row.name) continue;
      bool is_whole = one.text.find('?') == std::string::npos;
      if (!is_whole && row.is_optional) break;
      found.insert(&row);
      EXPECT_EQ(one.text, row.text) << stop << ": " << row.name << " in " << row.function;
      EXPECT_EQ(variable.inline_depth, row.inline_depth) << row.name;
      EXPECT_EQ(variable.is_escaped, row.is_escaped) << row.name;
      break;
    }
  }
}

TEST_P(DebugInfoLive, VariablesHoldWhatTheProgramPutThere) {
  ImageAddr stop = symbol("main.stop");
  StoppedProcess process(path_);
  LoadBias bias{process.read_entry() - image_->entry().value};
  std::set<const Expected*> found;
  std::set<std::string> stops;
  while (process.run_to(bias.to_target(stop).value)) {
    std::string name = read_stop(process, stop);
    stops.insert(name);
    expect_variables(name, read_callers(process, bias), found);
    if (name == "globals") break;
  }
  EXPECT_EQ(stops.size(), 12U) << fmt::format("{}", fmt::join(stops, ", "));
  for (const Expected& row : kExpected) {
    EXPECT_TRUE(row.is_optional || found.contains(&row))
        << row.stop << ": no " << row.name << " in " << row.function;
  }
}

TEST_P(DebugInfoLive, GlobalsAreFoundByAnyAddressInThem) {
  struct Row {
    const char* name;
    const char* type;
    Kind kind;
    u64 size;
  };
  for (const Row& row : {Row{"main.globalSlice", "[]int", Kind::kSlice, 24},
                         Row{"main.globalMap", "map[string]int", Kind::kMap, 8},
                         Row{"main.globalRecord", "main.Record", Kind::kStruct, 104},
                         Row{"main.globalNames", "main.Names", Kind::kSlice, 24},
                         Row{"main.globalText", "string", Kind::kString, 16},
                         Row{"main.globalAny", "interface {}", Kind::kInterface, 16},
                         Row{"main.globalPair", "main.Pair[string,int]", Kind::kStruct, 24}}) {
    ImageAddr addr = symbol(row.name);
    for (u64 offset : {u64{0}, row.size - 1}) {
      std::optional<GlobalVariable> global = info_->find_global(addr + offset);
      ASSERT_TRUE(global.has_value()) << row.name;
      EXPECT_EQ(global->name, row.name);
      EXPECT_EQ(global->addr, addr);
      ASSERT_NE(global->type, nullptr) << row.name;
      EXPECT_EQ(global->type->name, row.type);
      EXPECT_EQ(global->type->kind, row.kind) << row.name;
      EXPECT_EQ(global->type->size_bytes, row.size) << row.name;
    }
    std::optional<GlobalVariable> next = info_->find_global(addr + row.size);
    EXPECT_TRUE(!next || next->name != row.name);
  }
  EXPECT_FALSE(info_->find_global(image_->entry()).has_value());
  EXPECT_FALSE(info_->find_global(ImageAddr(0)).has_value());
}

TEST_P(DebugInfoLive, TypesHaveFieldsElementsAndLengths) {
  const DebugType* record = info_->find_type_named("main.Record");
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->kind, Kind::kStruct);
  std::vector<std::string> fields;
  for (const DebugType::Field& field : record->fields) {
    ASSERT_NE(field.type, nullptr) << field.name;
    fields.push_back(fmt::format("{} {} {}", field.offset, field.name, field.type->name));
  }
  EXPECT_EQ(fmt::format("{}", fmt::join(fields, "; ")),
            "0 Inner main.Inner; 40 Next *main.Record; 48 Funcs [4]func(int) int; "
            "80 Index map[string][]int; 88 local struct { main.a int; main.b int }");
  EXPECT_EQ(record->fields[1].type->elem, record);
  EXPECT_EQ(record->fields[2].type->length, 4U);
  ASSERT_NE(record->fields[2].type->elem, nullptr);
  EXPECT_EQ(record->fields[2].type->elem->kind, Kind::kFunc);

  const DebugType* names = info_->find_type_named("main.Names");
  ASSERT_NE(names, nullptr);
  EXPECT_EQ(names->kind, Kind::kSlice);
  ASSERT_NE(names->elem, nullptr);
  EXPECT_EQ(names->elem->kind, Kind::kString);
  EXPECT_EQ(info_->find_type_named("main.Names"), names);
  EXPECT_EQ(info_->find_type_named("main.NoSuchType"), nullptr);
}

// The word that the program itself has in an interface is the address of an abi.Type: the type must
// be found by it.
TEST_P(DebugInfoLive, TypesAreFoundByTheAddressTheRuntimeUses) {
  StoppedProcess process(path_);
  LoadBias bias{process.read_entry() - image_->entry().value};
  ImageAddr stop = symbol("main.stop");
  while (process.run_to(bias.to_target(stop).value) && read_stop(process, stop) != "globals") {
  }
  u64 word = process.read_word(bias.to_target(symbol("main.globalAny")).value);
  ImageAddr runtime_type = bias.to_image(TargetAddr(word));
  const DebugType* type = info_->find_type(runtime_type);
  ASSERT_NE(type, nullptr);
  EXPECT_EQ(type->name, "main.Record");
  EXPECT_EQ(type->runtime_type, runtime_type);
  EXPECT_EQ(info_->find_type_named("main.Record"), type);
  EXPECT_EQ(info_->find_type(runtime_type + 1), nullptr);
  EXPECT_EQ(info_->find_type(ImageAddr(1)), nullptr);
}

TEST_P(DebugInfoLive, CapturesOfClosuresAreNamedSinceGo123) {
  std::vector<DebugInfo::Capture> by_value = info_->captures_of("main.closures.func1");
  std::vector<DebugInfo::Capture> by_reference = info_->captures_of("main.closures.func2");
  std::vector<DebugInfo::Capture> functions = info_->captures_of("main.closures.func3");
  EXPECT_TRUE(info_->captures_of("main.params").empty());
  EXPECT_TRUE(info_->captures_of("main.noSuchFunction").empty());
  if (!has_captures()) {
    EXPECT_TRUE(by_value.empty() && by_reference.empty() && functions.empty());
    return;
  }
  ASSERT_EQ(by_value.size(), 1U);
  EXPECT_EQ(by_value[0].name, "byValue");
  EXPECT_EQ(by_value[0].offset, 8U);
  EXPECT_FALSE(by_value[0].by_reference);
  ASSERT_NE(by_value[0].type, nullptr);
  EXPECT_EQ(by_value[0].type->name, "[]int");
  ASSERT_EQ(by_reference.size(), 1U);
  EXPECT_EQ(by_reference[0].name, "byReference");
  EXPECT_EQ(by_reference[0].offset, 8U);
  EXPECT_TRUE(by_reference[0].by_reference);
  ASSERT_NE(by_reference[0].type, nullptr);
  EXPECT_EQ(by_reference[0].type->name, "[]int");
  ASSERT_EQ(functions.size(), 2U);
  EXPECT_EQ(functions[0].name, "value");
  EXPECT_EQ(functions[1].name, "reference");
  EXPECT_EQ(functions[1].offset, 16U);
}

INSTANTIATE_TEST_SUITE_P(
    Releases, DebugInfoLive,
    testing::Values(Build{"go1.21.13", ""}, Build{"go1.22.12", ""}, Build{"go1.23.12", ""},
                    Build{"go1.24.13", ""}, Build{"go1.25.9", ""}, Build{"go1.26.8", ""},
                    Build{"go1.27.3", ""}, Build{"go1.21.13", "-buildmode=pie"},
                    Build{"go1.27.3", "-buildmode=pie"}, Build{"go1.26.8", "-gcflags=-N"},
                    Build{"go1.21.13", "-ldflags=-linkmode=external"},
                    Build{"go1.27.3", "-ldflags=-linkmode=external"}));

}  // namespace
}  // namespace geist::read
