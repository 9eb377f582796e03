// Code that was made to be searched for long: the search ends, and says no.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "../read/go_fixture.h"
#include "sites/append_sites.h"

namespace geist::sites {
namespace {

constexpr u8 kCall = 0xe8;
constexpr usize kCallBytes = 5;

class Folder {
 public:
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "geist-search-test-XXXXXX";
    if (::mkdtemp(pattern.data()) != nullptr) path = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path + "/" + name) << text;
  }
  std::string path;
};

// A function that branches to growslice where newLen > cap, as `comparisons` comparisons before the
// branch say, each at the end of a way of its own. Go's assembler cannot name growslice: the call
// leads to a stub, until the bytes of the file are changed.
std::string crafted_code(int comparisons) {
  std::string text =
      "#include \"textflag.h\"\n"
      "TEXT ·stub(SB), NOSPLIT, $0-0\n\tRET\n"
      "TEXT ·crafted(SB), NOSPLIT, $64-0\n";
  for (int i = 0; i < comparisons; ++i) text += "\tCMPQ BX, CX\n\tJEQ decides\n";
  return text +
         "\tCMPQ BX, CX\n"
         "decides:\n\tJHI grow\n\tRET\n"
         "grow:\n\tCALL ·stub(SB)\n\tRET\n";
}

std::optional<SiteBucket> bucket_of_crafted(int comparisons) {
  const Folder folder;
  folder.write("go.mod", "module example.com/crafted\n\ngo 1.21\n");
  folder.write("main.go",
               "package main\n\nfunc stub()\nfunc crafted()\n\nvar sink []int\n\n"
               "func main() { crafted(); sink = append(sink, len(sink)) }\n");
  folder.write("crafted.s", crafted_code(comparisons));
  const std::string program = folder.path + "/prog";
  const read::Output built =
      read::run_command({"go", "build", "-C", folder.path, "-o", program, "."}, {});
  if (!built.ok) {
    ADD_FAILURE() << built.text;
    return std::nullopt;
  }
  std::vector<u8> bytes = read::read_file(program);
  auto plain = read::GoBinary::open(program, {});
  if (!plain.ok()) return std::nullopt;
  const read::Pclntab& functions = plain.value()->pclntab();
  std::optional<read::Function> crafted = functions.find_function_named("main.crafted");
  std::optional<read::Function> grows = functions.find_function_named("runtime.growslice");
  if (!crafted || !grows) return std::nullopt;
  const ByteView code =
      *plain.value()->image().find_bytes(crafted->entry, crafted->end - crafted->entry);
  const ByteView file = plain.value()->image().file_bytes();
  usize call = code.size() - kCallBytes;
  while (call > 0 && code[call] != kCall) --call;
  const i64 distance =
      static_cast<i64>(grows->entry.value - (crafted->entry.value + call + kCallBytes));
  const i32 relative = static_cast<i32>(distance);
  std::memcpy(bytes.data() + (code.data() - file.data()) + call + 1, &relative, sizeof relative);
  auto image = read::Image::from_bytes(std::move(bytes), "crafted");
  if (!image.ok()) return std::nullopt;
  auto binary = read::GoBinary::from_image(std::move(image).value(), {});
  if (!binary.ok()) return std::nullopt;
  for (const AppendSite& site : find_append_sites(*binary.value(), 1).sites) {
    if (site.call == crafted->entry + call) return site.bucket;
  }
  return std::nullopt;
}

TEST(SearchBounds, ComparisonsAreSearchedUpToABound) {
  const std::optional<SiteBucket> few = bucket_of_crafted(3);
  ASSERT_TRUE(few);
  EXPECT_NE(*few, SiteBucket::kOperandsDoNotMatch);
  EXPECT_EQ(bucket_of_crafted(5000), SiteBucket::kOperandsDoNotMatch);
}

}  // namespace
}  // namespace geist::sites
