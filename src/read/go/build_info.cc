// The blob the Go linker writes into .go.buildinfo, and who else makes ELF files that look like Go.
//
//   +0   "\xff Go buildinf:"   14 bytes, 16-aligned
//   +14  pointer size          only meaningful when bit 1 of flags is clear (up to Go 1.17)
//   +15  flags                 bit 0 big-endian, bit 1 strings are inline (always, since Go 1.18)
//   +32  uvarint length, "go1.26.8"
//        uvarint length, module information between two 16-byte sentinels
//
// Source: debug/buildinfo/buildinfo.go, runtime/debug/mod.go, cmd/go/internal/modload/build.go
// (go1.27.3).
#include "read/go/build_info.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace geist::read {
namespace {

constexpr std::string_view kMagic = "\xff Go buildinf:";
constexpr u64 kHeaderSize = 32;
constexpr u64 kAlign = 16;
constexpr u64 kSentinelSize = 16;

bool holds(ByteView bytes, std::string_view text) {
  return std::search(bytes.begin(), bytes.end(), text.begin(), text.end()) != bytes.end();
}

std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// From the blob to the end of what holds it.
std::optional<ByteView> find_blob(const Image& image) {
  auto starts_with_magic = [](ByteView bytes) { return as_text(bytes).starts_with(kMagic); };
  std::optional<ByteView> section = image.find_section_bytes(".go.buildinfo");
  if (section && starts_with_magic(*section)) return section;
  // Without a section table the blob is still in the data segment (debug/buildinfo searches it
  // too).
  for (const Segment& segment : image.segments()) {
    if (segment.type != PT_LOAD || (segment.flags & PF_W) == 0) continue;
    std::optional<ByteView> bytes = image.find_bytes_from(segment.vaddr);
    if (!bytes) continue;
    for (u64 at = (kAlign - segment.vaddr.value % kAlign) % kAlign;
         at + kHeaderSize <= bytes->size(); at += kAlign) {
      if (starts_with_magic(bytes->subspan(at))) return bytes->subspan(at);
    }
  }
  return std::nullopt;
}

// A Go string header in the image, as releases before 1.18 used them here.
std::optional<std::string_view> find_go_string(const Image& image, u64 header) {
  if (header > UINT64_MAX - 8) return std::nullopt;
  std::optional<u64> pointer = image.find_word(ImageAddr(header));
  std::optional<u64> length = image.find_word(ImageAddr(header + 8));
  if (!pointer || !length) return std::nullopt;
  std::optional<ByteView> bytes = image.find_bytes(ImageAddr(*pointer), *length);
  if (!bytes) return std::nullopt;
  return as_text(*bytes);
}

struct RawInfo {
  std::string_view version;
  std::string_view modules;
};

std::optional<RawInfo> find_raw_info(const Image& image, ByteView blob) {
  constexpr u8 kInlineStrings = 2;
  std::optional<u8> flags = find_int<u8>(blob, 15);
  if (!flags) return std::nullopt;
  RawInfo raw;
  if ((*flags & kInlineStrings) == 0) {
    std::optional<u64> version = find_int<u64>(blob, 16);
    std::optional<std::string_view> text;
    if (version) text = find_go_string(image, *version);
    if (!text) return std::nullopt;
    raw.version = *text;
    return raw;  // the modules of such releases are never needed: they are out of range
  }
  ByteReader reader(blob, kHeaderSize);
  raw.version = as_text(reader.read_bytes(reader.read_uvarint()));
  raw.modules = as_text(reader.read_bytes(reader.read_uvarint()));
  if (reader.failed()) return std::nullopt;
  // The sentinels let "go version" find the text in a running program; here they are only in the
  // way.
  if (raw.modules.size() >= 2 * kSentinelSize) {
    raw.modules.remove_prefix(kSentinelSize);
    raw.modules.remove_suffix(kSentinelSize);
  } else {
    raw.modules = {};
  }
  return raw;
}

// Digits at the start of `text`, removed from it.
std::optional<int> take_number(std::string_view& text) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0) return std::nullopt;
  text.remove_prefix(static_cast<usize>(end - text.data()));
  return value;
}

std::string_view take_field(std::string_view& line, char separator) {
  usize end = std::min(line.find(separator), line.size());
  std::string_view field = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return field;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "go1.26.8", "go1.27rc1", "go1.27.3-X:nogreenteagc", "go1.22.2 (Red Hat 1.22.2-1.el9)" are
// releases; "devel go1.28-abcdef Tue ...", "go1.25-20250209-RC00", "go1.27beta1" are not.
GoRelease parse_release(std::string_view text) {
  GoRelease release;
  release.text = text;
  constexpr std::string_view kPrefix = "go1.";
  usize at = text.find(kPrefix);
  if (at == std::string_view::npos) return release;
  text.remove_prefix(at + kPrefix.size());
  std::optional<int> minor = take_number(text);
  if (!minor) return release;
  release.minor = *minor;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    release.patch = take_number(text).value_or(0);
  } else if (text.starts_with("rc")) {
    text.remove_prefix(2);
    take_number(text);
  }
  bool ends_cleanly = text.empty() || text.front() == ' ' ||
                      (text.size() > 1 && text[0] == '-' && !is_digit(text[1]));
  release.is_release = at == 0 && ends_cleanly;
  return release;
}

// Experiments stand behind "X:" in the version, separated by commas, or in the settings, or in
// both.
void collect_experiments(BuildInfo& info) {
  auto add_all = [&](std::string_view list) {
    while (!list.empty()) {
      std::string name(take_field(list, ','));
      bool is_new = std::find(info.experiments.begin(), info.experiments.end(), name) ==
                    info.experiments.end();
      if (!name.empty() && is_new) info.experiments.push_back(std::move(name));
    }
  };
  std::string_view version = info.release.text;
  if (usize at = version.find("X:"); at != std::string_view::npos) {
    version.remove_prefix(at + 2);
    add_all(take_field(version, ' '));
  }
  auto setting = info.settings.find("GOEXPERIMENT");
  if (setting != info.settings.end()) add_all(setting->second);
}

// Keys and values that hold blanks or quotes are written as Go strings (runtime/debug/mod.go,
// quoteKey/quoteValue).
std::string unquote(std::string_view text) {
  char quote = text.empty() ? '\0' : text.front();
  if (text.size() < 2 || (quote != '"' && quote != '`') || text.back() != quote) {
    return std::string(text);
  }
  text = text.substr(1, text.size() - 2);
  if (quote == '`') return std::string(text);
  std::string plain;
  for (usize i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      plain += text[i];
      continue;
    }
    char escaped = text[++i];
    plain += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
  }
  return plain;
}

// The '=' between key and value; a quoted key may hold one itself.
void parse_setting(std::string_view line, BuildInfo& info) {
  usize from = 0;
  if (line.starts_with('"')) {
    usize close = line.find("\"=", 1);
    if (close == std::string_view::npos) return;
    from = close + 1;
  }
  usize equals = line.find('=', from);
  if (equals == std::string_view::npos) return;
  info.settings[unquote(line.substr(0, equals))] = unquote(line.substr(equals + 1));
}

void parse_modules(std::string_view text, BuildInfo& info) {
  Module* last = nullptr;
  while (!text.empty()) {
    std::string_view line = take_field(text, '\n');
    std::string_view verb = take_field(line, '\t');
    if (verb == "path") {
      info.main_package = line;
    } else if (verb == "mod" || verb == "dep" || verb == "=>") {
      Module module;
      module.path = take_field(line, '\t');
      module.version = take_field(line, '\t');
      if (verb == "mod") {
        info.main_module = std::move(module);
        last = &info.main_module;
      } else if (verb == "dep") {
        info.dependencies.push_back(std::move(module));
        last = &info.dependencies.back();
      } else if (last != nullptr) {
        // What a replace directive put in its place is what was compiled; the import path stays.
        last->version = module.version.empty() ? "=> " + module.path : module.version;
      }
    } else if (verb == "build") {
      parse_setting(line, info);
    }
  }
}

// Other compilers for Go leave their name in these sections.
bool names_compiler(const Image& image, std::string_view mark) {
  for (std::string_view section : {".strtab", ".comment", ".rodata", ".dynstr", ".debug_str"}) {
    std::optional<ByteView> bytes = image.find_section_bytes(section);
    if (bytes && holds(*bytes, mark)) return true;
  }
  return false;
}

constexpr std::string_view kUseGc =
    "geist reads what the standard Go compiler makes; build it with go build";

Error not_go(const Image& image) {
  auto say = [&](std::string_view what, std::string_view next,
                 ErrorKind kind = ErrorKind::kBadInput) {
    return Error(fmt::format("{}: {}; {}", image.path(), what, next), kind);
  };
  if (image.find_section(".gopclntab") != nullptr ||
      image.find_section(".note.go.buildid") != nullptr) {
    return say("a Go program whose build information was removed or damaged",
               "geist needs the section .go.buildinfo to know the release; build it again");
  }
  if (image.find_section(".go_export") != nullptr || names_compiler(image, "libgo.so") ||
      names_compiler(image, "__go_init_main")) {
    return say("built with gccgo", kUseGc);
  }
  if (names_compiler(image, "tinygo")) return say("built with TinyGo", kUseGc);
  return say("an ELF program, but not built by Go",
             "geist looks into Go programs; give one built with go build", ErrorKind::kNotGo);
}

}  // namespace

Result<BuildInfo> read_build_info(const Image& image) {
  std::optional<ByteView> blob = find_blob(image);
  if (!blob) return not_go(image);
  std::optional<RawInfo> raw = find_raw_info(image, *blob);
  if (!raw || raw->version.empty()) {
    return Error(
        fmt::format("{}: damaged build information: the version string leaves its section; copy or "
                    "build the file again",
                    image.path()));
  }
  if (raw->version.find("gccgo") != std::string_view::npos) {
    return Error(fmt::format("{}: built with gccgo ({}); {}", image.path(), raw->version, kUseGc));
  }
  if (raw->version.find("tinygo") != std::string_view::npos) {
    return Error(fmt::format("{}: built with TinyGo ({}); {}", image.path(), raw->version, kUseGc));
  }
  BuildInfo info;
  info.release = parse_release(raw->version);
  parse_modules(raw->modules, info);
  collect_experiments(info);
  return info;
}

}  // namespace geist::read
