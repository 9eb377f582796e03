// Building and running the fixture, and the comparison of its words with those of the readers.
//
// The fixture prints a line wherever the runtime's answer changes; the readers are asked at both
// ends of each stretch, in the same notation, and the first difference in words is the result.
#include "go_fixture.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

namespace geist::read {
namespace {

// Made on first use, removed when the test program ends.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "geist-read-test-XXXXXX";
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

const TemporaryFolder& folder() {
  static const TemporaryFolder the_folder;
  return the_folder;
}

std::string_view take_field(std::string_view& text, char separator) {
  usize end = std::min(text.find(separator), text.size());
  std::string_view field = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return field;
}

u64 to_number(std::string_view text) {
  i64 value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return static_cast<u64>(value);
}

std::string map_text(const std::optional<PointerMap>& map) {
  if (!map) return "?";
  std::string text;
  for (bool is_live : map->live) text += is_live ? '1' : '0';
  return text;
}

// One place in the notation of fixture/main.go.
std::string describe_place(const GoBinary& binary, ImageAddr pc) {
  const Pclntab& tab = binary.pclntab();
  std::optional<Function> function = tab.find_function(pc);
  if (!function) return "no function";
  // The runtime does not tell the name at the start of funcnametab from "no name"
  // (runtime/symtab.go funcName).
  std::string_view first_name =
      ByteReader(*binary.image().find_bytes_from(binary.module().funcnametab)).read_cstring();
  std::string text;
  for (const SourceFrame& frame : tab.source_frames(*function, pc)) {
    text += fmt::format(
        "{}:{}:{},", frame.function == first_name ? "" : frame.function,
        frame.file.empty() ? 0 : frame.line,  // the runtime gives no line without a file
        frame.start_line);
  }
  text += fmt::format("|{}|{}|{}|{}", tab.find_sp_delta(*function, pc).value_or(-1),
                      map_text(tab.find_locals_map(*function, pc)),
                      map_text(tab.find_args_map(*function, pc)), tab.unsafe_point(*function, pc));
  return text;
}

std::string describe_file(const GoBinary& binary, ImageAddr pc) {
  std::optional<Function> function = binary.pclntab().find_function(pc);
  if (!function) return "no function";
  std::string_view file = binary.pclntab().source_frames(*function, pc).front().file;
  return std::string(file.empty() ? "?" : file);
}

// A stretch of code that the runtime describes in the same words, checked at both ends.
struct Stretch {
  u64 start = 0;
  std::string_view words;
};

std::string compare_stretches(const GoBinary& binary, const std::vector<Stretch>& stretches,
                              std::string (*describe)(const GoBinary&, ImageAddr), u64& checked) {
  const ModuleData& module = binary.module();
  for (usize i = 0; i < stretches.size(); ++i) {
    ImageAddr start = module.text + stretches[i].start;
    ImageAddr last =
        (i + 1 < stretches.size() ? module.text + stretches[i + 1].start : module.maxpc) - 1;
    for (ImageAddr pc : {start, last}) {
      std::string ours = describe(binary, pc);
      ++checked;
      if (ours != stretches[i].words) {
        return fmt::format("at {:#x}: read \"{}\", the runtime says \"{}\"", pc.value, ours,
                           stretches[i].words);
      }
    }
  }
  return {};
}

std::string describe_type(const GoBinary& binary, ImageAddr addr) {
  Result<GoType> read = binary.types().read(addr);
  if (!read.ok()) return read.error().message();
  const GoType& type = read.value();
  auto offset = [&](ImageAddr other) {
    return other ? static_cast<i64>(other - binary.module().types) : i64{-1};
  };
  std::string text =
      fmt::format("{}|{}|{}|{}|{}|{}|{}|", type.name, static_cast<int>(type.kind), type.size_bytes,
                  type.ptr_bytes, offset(type.elem), offset(type.key), type.length);
  for (const TypeField& field : type.fields) {
    text +=
        fmt::format("{}:{}:{}:{},", field.name, offset(field.type), field.offset, field.embedded);
  }
  return text;
}

void append_struct(std::vector<u8>& bytes, const void* data, usize size) {
  const u8* first = static_cast<const u8*>(data);
  bytes.insert(bytes.end(), first, first + size);
}

}  // namespace

std::string GoBuild::describe() const {
  return fmt::format("{} {}{} {}", toolchain.empty() ? "default Go" : toolchain,
                     fmt::join(flags, " "), cgo ? " with cgo" : "", experiment);
}

Output run_command(const std::vector<std::string>& argv, const std::vector<std::string>& env) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {false, "pipe2 failed"};
  pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    for (const std::string& setting : env) ::putenv(const_cast<char*>(setting.c_str()));
    std::vector<char*> pointers;
    for (const std::string& word : argv) pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    ::execvp(pointers[0], pointers.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  Output output;
  char buffer[65536];
  for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof(buffer))) > 0;) {
    output.text.append(buffer, static_cast<usize>(got));
  }
  ::close(ends[0]);
  int status = 0;
  output.ok = child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) &&
              WEXITSTATUS(status) == 0;
  return output;
}

const GoFixture& build_fixture(const GoBuild& build) {
  static std::map<std::string, GoFixture> built;
  std::string key = build.describe();
  auto it = built.find(key);
  if (it != built.end()) return it->second;
  GoFixture& fixture = built[key];
  fixture.path = fmt::format("{}/program{}", folder().path(), built.size());
  std::vector<std::string> argv = {
      "go", "build",     "-C", GEIST_SOURCE_DIR "/tests/unit/read/fixture", "-buildvcs=false",
      "-o", fixture.path};
  argv.insert(argv.end(), build.flags.begin(), build.flags.end());
  std::vector<std::string> env = {build.cgo ? "CGO_ENABLED=1" : "CGO_ENABLED=0",
                                  "GOFLAGS=", "GOARCH=amd64", "GOWORK=off"};
  if (!build.experiment.empty()) env.push_back("GOEXPERIMENT=" + build.experiment);
  if (!build.toolchain.empty()) env.push_back("GOTOOLCHAIN=" + build.toolchain);
  Output output = run_command(argv, env);
  if (!output.ok) {
    fixture.path.clear();
    fixture.error = output.text;
  }
  return fixture;
}

const std::string& default_fixture() {
  const GoFixture& fixture = build_fixture({.flags = {"-ldflags=-checklinkname=0"}});
  EXPECT_NE(fixture.path, "") << fixture.error;
  return fixture.path;
}

std::vector<u8> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<u8> make_elf(ByteView content) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_entry = kMadeElfAddr;
  header.e_phoff = sizeof(header);
  header.e_ehsize = sizeof(header);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_W;
  segment.p_offset = kMadeElfOffset;
  segment.p_vaddr = kMadeElfAddr;
  segment.p_filesz = content.size();
  segment.p_memsz = content.size();
  static_assert(sizeof(header) + sizeof(segment) == kMadeElfOffset);
  std::vector<u8> bytes;
  append_struct(bytes, &header, sizeof(header));
  append_struct(bytes, &segment, sizeof(segment));
  bytes.insert(bytes.end(), content.begin(), content.end());
  return bytes;
}

std::string compare_code(const GoBinary& binary, const std::string& printed, u64& checked) {
  std::vector<Stretch> places;
  std::vector<Stretch> files;
  std::string_view rest = printed;
  while (!rest.empty()) {
    std::string_view line = take_field(rest, '\n');
    std::string_view verb = take_field(line, ' ');
    if (verb == "text" && to_number(line) != binary.module().etext - binary.module().text) {
      return fmt::format("text has {} bytes, the runtime says {}",
                         binary.module().etext - binary.module().text, line);
    }
    if (verb != "pc" && verb != "file") continue;
    u64 start = to_number(take_field(line, '|'));
    (verb == "pc" ? places : files).push_back({.start = start, .words = line});
  }
  std::string difference = compare_stretches(binary, places, describe_place, checked);
  if (difference.empty()) difference = compare_stretches(binary, files, describe_file, checked);
  return difference;
}

std::string compare_types(const GoBinary& binary, const std::string& printed, u64& checked) {
  std::string_view rest = printed;
  while (!rest.empty()) {
    std::string_view line = take_field(rest, '\n');
    if (take_field(line, ' ') != "type") continue;
    ImageAddr addr = binary.module().types + to_number(take_field(line, '|'));
    std::string ours = describe_type(binary, addr);
    ++checked;
    if (ours != line)
      return fmt::format("at {:#x}: read \"{}\", the runtime says \"{}\"", addr.value, ours, line);
  }
  return {};
}

}  // namespace geist::read
