// Damage in the tables of a real Go program: module data, function tables, inline trees, stack
// maps, types.
//
// A whole program is far too large an input, and random damage in it hits little. So an input is a
// list of edits that say where in terms of the tables, and they are applied to a sound program.
// Edits of places 0 to 3 count when a program is opened, so it goes through GoBinary::from_image
// again; all others show through the views of the program that is open already, which saves most of
// the time. Every function and type that an edit names is asked about, then the edits are undone.
//
//   input:  u8 program, then edits:  u8 place, u16 which, u8 offset, u8 count (0..8), count bytes
//   place:  0 moduledata  1 pcHeader  2 ftab  3 build info          which * 4 + offset
//           4 _func of function `which`  5.. the tables it names    offset from their start
//           kType: type number `which`, kTypeName: its name         offset
//
// The programs are the files of the folder $GEIST_FUZZ_PROGRAMS; tests/fuzz/run makes it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "read/go/go_binary.h"

namespace {

using namespace geist;
using namespace geist::read;

enum Place : u8 {
  kModuleData,
  kPcHeader,
  kFtab,
  kBuildInfo,
  kFunc,
  kPcsp,
  kPcfile,
  kPcln,
  kUnsafePoint,
  kStackMapIndex,
  kInlTreeIndex,
  kArgsMap,
  kLocalsMap,
  kInlTree,
  kName,
  kUnit,
  kType,
  kTypeName,
  kTypeFields,
  kPlaceCount,
};

struct Program {
  std::vector<u8> bytes;             // which edits change for a while
  std::unique_ptr<GoBinary> open;    // sees these bytes, edits included
  std::unique_ptr<GoBinary> binary;  // sees a copy that stays sound, and says where things are
  std::vector<ImageAddr> types;
};

std::vector<Program> programs;

template <typename T>
T word_at(ByteView bytes, u64 offset) {
  return find_int<T>(bytes, offset).value_or(0);
}

// Where a place of function number `which` begins, or nothing. Offsets: runtime/runtime2.go _func.
std::optional<ImageAddr> find_function_place(const Program& program, u8 place, u16 which) {
  const ModuleData& module = program.binary->module();
  const Pclntab& tab = program.binary->pclntab();
  u32 func_offset = tab.function(FuncIndex{which % tab.function_count()}).func_offset;
  ImageAddr func = module.pclntable + func_offset;
  ByteView record = *program.binary->image().find_bytes_from(func);
  u32 pcdata_count = word_at<u32>(record, 28);
  auto pctab = [&](u64 offset) { return module.pctab + word_at<u32>(record, offset); };
  auto pcdata = [&](u64 index) { return pctab(44 + 4 * index); };
  auto funcdata = [&](u64 index) {
    return module.gofunc + word_at<u32>(record, 44 + 4 * (pcdata_count + index));
  };
  switch (place) {
    case kFunc:
      return func;
    case kPcsp:
      return pctab(16);
    case kPcfile:
      return pctab(20);
    case kPcln:
      return pctab(24);
    case kUnsafePoint:
      return pcdata(0);
    case kStackMapIndex:
      return pcdata(1);
    case kInlTreeIndex:
      return pcdata(2);
    case kArgsMap:
      return funcdata(0);
    case kLocalsMap:
      return funcdata(1);
    case kInlTree:
      return funcdata(3);
    case kName:
      return module.funcnametab + word_at<u32>(record, 4);
    case kUnit:
      return module.cutab + u64{word_at<u32>(record, 32)} * 4;
    default:
      return std::nullopt;
  }
}

// Where `place` begins in the memory of the program, or nothing.
std::optional<ImageAddr> find_place(const Program& program, u8 place, u16 which) {
  const ModuleData& module = program.binary->module();
  const Image& image = program.binary->image();
  const Section* build_info = image.find_section(".go.buildinfo");
  ImageAddr type = program.types[which % program.types.size()];
  switch (place) {
    case kModuleData:
      return module.addr + u64{which} * 4 % 600;
    case kPcHeader:
      return module.pc_header + u64{which} * 4 % 72;
    case kFtab:
      return module.ftab + u64{which} * 4 % (module.ftab_count * 8);
    case kBuildInfo:
      if (build_info == nullptr) return std::nullopt;
      return build_info->addr + u64{which} * 4 % build_info->size;
    case kType:
      return type;
    case kTypeName:
      return module.types + word_at<u32>(*image.find_bytes(type, 48), 40);
    case kTypeFields:
      return ImageAddr(image.find_word(type + 56).value_or(0));
    default:
      return find_function_place(program, place, which);
  }
}

void ask_about_function(const GoBinary& binary, u32 which) {
  const Pclntab& tab = binary.pclntab();
  if (tab.function_count() == 0) return;
  Function function = tab.function(FuncIndex{which % tab.function_count()});
  for (const SourceLine& line : tab.source_lines(function)) GEIST_CHECK(line.line > 0);
  u64 size = std::min<u64>(function.end - function.entry, 256);
  for (u64 offset = 0; offset <= size; offset += 1 + size / 8) {
    ImageAddr pc = function.entry + offset;
    std::vector<SourceFrame> frames = tab.source_frames(function, pc);
    GEIST_CHECK(!frames.empty() && !frames.back().inlined);
    tab.find_sp_delta(function, pc);
    tab.find_locals_map(function, pc);
    tab.find_args_map(function, pc);
    tab.unsafe_point(function, pc);
    tab.find_function(pc);
  }
}

void ask_about_type(const GoBinary& binary, ImageAddr addr, int depth) {
  Result<GoType> type = binary.types().read(addr);
  if (!type.ok() || depth == 0) return;
  for (ImageAddr other : {type.value().elem, type.value().key}) {
    if (other) ask_about_type(binary, other, depth - 1);
  }
  usize budget = 8;
  for (const TypeField& field : type.value().fields) {
    if (budget-- == 0) break;
    ask_about_type(binary, field.type, depth - 1);
  }
}

// The bytes of a program as the input wants them; sound again at the end.
class Edits {
 public:
  Edits(Program& program, ByteReader& input) : bytes_(program.bytes) {
    for (int edits = 0; edits < 16 && input.remaining() >= 5; ++edits) {
      u8 place = input.read_u8() % kPlaceCount;
      u16 which = input.read_u16();
      u8 offset = input.read_u8();
      ByteView value = input.read_bytes(std::min<u64>(input.read_u8() % 9, input.remaining()));
      must_open = must_open || place < kFunc;
      if (place >= kFunc) (place >= kType ? types : functions).push_back(which);
      std::optional<ImageAddr> addr = find_place(program, place, which);
      if (!addr) continue;
      const Image& image = program.binary->image();
      std::optional<ByteView> target = image.find_bytes(*addr + offset, value.size());
      if (!target || value.empty()) continue;
      write(static_cast<u64>(target->data() - image.file_bytes().data()), value);
    }
  }
  ~Edits() {
    for (auto it = undo_.rbegin(); it != undo_.rend(); ++it) {
      std::copy(it->before.begin(), it->before.end(), bytes_.begin() + static_cast<i64>(it->at));
    }
  }
  Edits(const Edits&) = delete;
  Edits& operator=(const Edits&) = delete;

  bool must_open = false;      // an edit is about what opening reads
  std::vector<u16> functions;  // that the input is about
  std::vector<u16> types;

 private:
  struct Undo {
    u64 at;
    std::vector<u8> before;
  };
  void write(u64 at, ByteView value) {
    auto first = bytes_.begin() + static_cast<i64>(at);
    undo_.push_back({at, {first, first + static_cast<i64>(value.size())}});
    std::copy(value.begin(), value.end(), first);
  }
  std::vector<u8>& bytes_;
  std::vector<Undo> undo_;
};

std::vector<u8> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "fuzz_pclntab: %s\n", why.c_str());
  std::exit(1);
}

std::unique_ptr<GoBinary> must_open(Result<Image> image) {
  if (!image.ok()) give_up(image.error().message());
  Result<std::unique_ptr<GoBinary>> binary = GoBinary::from_image(std::move(image).value());
  if (!binary.ok()) give_up(binary.error().message());
  return std::move(binary).value();
}

void ask_everything(const GoBinary& binary, const Program& program, const Edits& edits) {
  for (u16 which : edits.functions) ask_about_function(binary, which);
  for (u16 which : edits.types) {
    ask_about_type(binary, program.types[which % program.types.size()], 3);
  }
  // Damage of the shared tables shows in any function.
  ask_about_function(binary, 0);
  ask_about_function(binary, binary.pclntab().function_count() - 1);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* folder = std::getenv("GEIST_FUZZ_PROGRAMS");
  if (folder == nullptr)
    give_up("GEIST_FUZZ_PROGRAMS names no folder of Go programs; start it with tests/fuzz/run");
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  for (const std::filesystem::path& path : paths) {
    Program program;
    program.bytes = read_file(path);
    program.binary = must_open(Image::from_bytes(program.bytes, path));
    program.open = must_open(Image::from_view(program.bytes, path));
    const ModuleData& module = program.binary->module();
    for (ImageAddr at = module.types; at < module.etypes; at += 8) {
      if (program.binary->types().read(at).ok()) program.types.push_back(at);
    }
    programs.push_back(std::move(program));
  }
  if (programs.empty()) give_up("no Go program in " + std::string(folder));
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const u8* data, usize size) {
  ByteReader input(ByteView(data, size));
  Program& program = programs[input.read_u8() % programs.size()];
  Edits edits(program, input);
  if (!edits.must_open) {
    ask_everything(*program.open, program, edits);
    return 0;
  }
  Result<Image> image = Image::from_view(program.bytes, "input");
  GEIST_CHECK(image.ok());  // no edit reaches the ELF headers
  Result<std::unique_ptr<GoBinary>> opened = GoBinary::from_image(std::move(image).value());
  if (!opened.ok()) {
    GEIST_CHECK(!opened.error().message().empty());
    return 0;
  }
  ask_everything(*opened.value(), program, edits);
  opened.value()->pclntab().find_function_named("main.main");
  return 0;
}
