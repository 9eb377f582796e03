// Build info: the blob is written here as the linker writes it, so that releases and compilers that
// are not at hand are covered, too; one real program is compared with what `go version` says.
#include "read/go/build_info.h"

#include <gtest/gtest.h>

#include <cstring>

#include "go_fixture.h"

namespace geist::read {
namespace {

void append(std::vector<u8>& bytes, std::string_view text) {
  bytes.insert(bytes.end(), text.begin(), text.end());
}

void append_string(std::vector<u8>& bytes, std::string_view text) {
  usize size = text.size();
  for (; size >= 0x80; size >>= 7) bytes.push_back(static_cast<u8>(size | 0x80));
  bytes.push_back(static_cast<u8>(size));
  append(bytes, text);
}

// What the linker of Go 1.18 and later writes; the modules get their sentinels.
std::vector<u8> make_blob(std::string_view version, std::string_view modules) {
  std::vector<u8> blob;
  append(blob, "\xff Go buildinf:");
  blob.push_back(8);
  blob.push_back(2);
  blob.resize(32);
  append_string(blob, version);
  std::string framed =
      modules.empty() ? "" : "0123456789abcdef" + std::string(modules) + "0123456789abcdef";
  append_string(blob, framed);
  return blob;
}

Image make_image(ByteView content) {
  Result<Image> image = Image::from_bytes(make_elf(content), "prog");
  GEIST_CHECK(image.ok());
  return std::move(image).value();
}

BuildInfo must_read(std::string_view version, std::string_view modules = "") {
  Result<BuildInfo> info = read_build_info(make_image(make_blob(version, modules)));
  EXPECT_TRUE(info.ok()) << (info.ok() ? "" : info.error().message());
  return info.ok() ? info.value() : BuildInfo{};
}

std::string error_of(ByteView content) {
  Result<BuildInfo> info = read_build_info(make_image(content));
  return info.ok() ? "no error" : info.error().message();
}

TEST(GoBuildInfo, ReadsReleases) {
  auto release = [](std::string_view version) {
    GoRelease read = must_read(version).release;
    EXPECT_EQ(read.text, version);
    return std::pair(read.minor, read.patch);
  };
  EXPECT_EQ(release("go1.26.8"), std::pair(26, 8));
  EXPECT_EQ(release("go1.26"), std::pair(26, 0));
  EXPECT_EQ(release("go1.27rc1"), std::pair(27, 0));
  EXPECT_EQ(release("go1.27.3-X:nogreenteagc"), std::pair(27, 3));
  EXPECT_EQ(release("go1.25.1 X:greenteagc"), std::pair(25, 1));
  EXPECT_EQ(release("devel go1.28-5f1d9f7 Tue Mar 3"), std::pair(28, 0));
  EXPECT_EQ(release("unknown"), std::pair(0, 0));
  EXPECT_EQ(release("go1.99999999999"), std::pair(0, 0));
}

TEST(GoBuildInfo, TellsReleasesFromOtherBuilds) {
  for (std::string_view version :
       {"go1.26.8", "go1.26", "go1.27rc1", "go1.27.3-X:nogreenteagc", "go1.25.1 X:greenteagc",
        "go1.22.2 (Red Hat 1.22.2-1.el9)", "go1.23.4-fips"}) {
    EXPECT_TRUE(must_read(version).release.is_release) << version;
  }
  for (std::string_view version :
       {"devel go1.28-5f1d9f7 Tue Mar 3", "go1.25-20250209-RC00 cl/724970549", "go1.27beta1",
        "unknown", "go1.x"}) {
    EXPECT_FALSE(must_read(version).release.is_release) << version;
  }
}

TEST(GoBuildInfo, CollectsExperiments) {
  using List = std::vector<std::string>;
  EXPECT_EQ(must_read("go1.26.8").experiments, List{});
  EXPECT_EQ(must_read("go1.27.3-X:nogreenteagc,simd").experiments, (List{"nogreenteagc", "simd"}));
  EXPECT_EQ(must_read("go1.25.1 X:greenteagc (custom)").experiments, List{"greenteagc"});
  EXPECT_EQ(must_read("go1.25.1 X:a", "build\tGOEXPERIMENT=a,b\n").experiments, (List{"a", "b"}));
}

TEST(GoBuildInfo, ReadsModulesAndSettings) {
  BuildInfo info = must_read("go1.26.8",
                             "path\texample.com/cmd/tool\n"
                             "mod\texample.com/cmd\t(devel)\t\n"
                             "dep\tgithub.com/a/b\tv2.0.1+incompatible\th1:abc=\n"
                             "dep\tgithub.com/c/d\tv1.0.0\n"
                             "=>\tgithub.com/e/f\tv1.2.3\th1:def=\n"
                             "dep\tgithub.com/g/h\tv1.0.0\n"
                             "=>\t../h\t\n"
                             "build\t-race=true\n"
                             "build\tCGO_ENABLED=1\n"
                             "build\t-ldflags=\"-X main.v=\\\"a b\\\"\"\n"
                             "build\t\"odd = key\"=value\n"
                             "build\tno value\n"
                             "later\twhat future releases add\n");
  EXPECT_EQ(info.main_package, "example.com/cmd/tool");
  EXPECT_EQ(info.main_module.path, "example.com/cmd");
  EXPECT_EQ(info.main_module.version, "(devel)");
  ASSERT_EQ(info.dependencies.size(), 3u);
  EXPECT_EQ(info.dependencies[0].version, "v2.0.1+incompatible");
  EXPECT_EQ(info.dependencies[1].path, "github.com/c/d");
  EXPECT_EQ(info.dependencies[1].version, "v1.2.3");
  EXPECT_EQ(info.dependencies[2].version, "=> ../h");
  EXPECT_TRUE(info.has_setting("-race", "true"));
  EXPECT_TRUE(info.has_setting("CGO_ENABLED", "1"));
  EXPECT_FALSE(info.has_setting("-asan", "true"));
  EXPECT_TRUE(info.has_setting("-ldflags", "-X main.v=\"a b\""));
  EXPECT_TRUE(info.has_setting("odd = key", "value"));
  EXPECT_EQ(info.settings.size(), 4u);
}

TEST(GoBuildInfo, ReadsARealProgram) {
  Result<Image> image = Image::open(default_fixture());
  ASSERT_TRUE(image.ok());
  Result<BuildInfo> read = read_build_info(image.value());
  ASSERT_TRUE(read.ok()) << read.error().message();
  const BuildInfo& info = read.value();
  EXPECT_EQ("go version " + info.release.text + " linux/amd64\n",
            run_command({"go", "version"}).text);
  EXPECT_EQ(info.main_package, "example.com/tables");
  EXPECT_EQ(info.main_module.path, "example.com/tables");
  EXPECT_TRUE(info.has_setting("GOARCH", "amd64"));
  EXPECT_TRUE(info.has_setting("CGO_ENABLED", "0"));
  EXPECT_TRUE(info.has_setting("-ldflags", "-checklinkname=0"));
}

TEST(GoBuildInfo, ReadsPointersOfOldReleases) {
  // Up to Go 1.17: at +16 a pointer to a Go string header {pointer, length}.
  std::vector<u8> blob;
  append(blob, "\xff Go buildinf:");
  blob.push_back(8);
  blob.push_back(0);
  auto append_word = [&](u64 word) { append(blob, {reinterpret_cast<const char*>(&word), 8}); };
  append_word(kMadeElfAddr + 32);
  append_word(0);
  append_word(kMadeElfAddr + 48);
  append_word(7);
  append(blob, "go1.16.");
  Result<BuildInfo> info = read_build_info(make_image(blob));
  ASSERT_TRUE(info.ok()) << info.error().message();
  EXPECT_EQ(info.value().release.minor, 16);
  u64 nowhere = ~u64{0};
  std::memcpy(blob.data() + 16, &nowhere, 8);
  EXPECT_TRUE(error_of(blob).starts_with("prog: damaged build information"));
}

TEST(GoBuildInfo, RefusesOtherProgramsByName) {
  std::vector<u8> text(64, '.');
  EXPECT_TRUE(error_of(text).starts_with("prog: an ELF program, but not built by Go; "));
  EXPECT_TRUE(
      error_of(make_blob("go1.18 gccgo (Debian 12.2.0-14) 12.2.0", ""))
          .starts_with("prog: built with gccgo (go1.18 gccgo (Debian 12.2.0-14) 12.2.0); "));
  EXPECT_TRUE(
      error_of(make_blob("tinygo0.33", "")).starts_with("prog: built with TinyGo (tinygo0.33); "));
}

TEST(GoBuildInfo, RefusesDamage) {
  std::vector<u8> blob = make_blob("go1.26.8", "path\tx\n");
  for (usize size = 32; size < blob.size(); ++size) {
    EXPECT_TRUE(error_of(ByteView(blob).first(size)).starts_with("prog: damaged build information"))
        << size;
  }
  std::vector<u8> empty = make_blob("", "");
  EXPECT_TRUE(error_of(empty).starts_with("prog: damaged build information"));
}

TEST(GoBuildInfo, RefusesUnknownReleases) {
  auto error = [](std::string_view version, const ReadOptions& options = {}) {
    Result<std::unique_ptr<GoBinary>> binary =
        GoBinary::from_image(make_image(make_blob(version, "")), options);
    return binary.ok() ? "no error" : binary.error().message();
  };
  EXPECT_EQ(error("go1.20.3"),
            "prog: built with go1.20.3; geist knows Go 1.21 to 1.27; --assume-go=1.21 to try");
  EXPECT_EQ(error("go1.28"),
            "prog: built with go1.28; geist knows Go 1.21 to 1.27; --assume-go=1.27 to try");
  EXPECT_EQ(error("unknown"),
            "prog: built with unknown; geist knows Go 1.21 to 1.27; --assume-go=1.27 to try");
  EXPECT_EQ(
      error("devel go1.27-abc"),
      "prog: built with devel go1.27-abc; geist knows Go 1.21 to 1.27; --assume-go=1.27 to try");
  EXPECT_EQ(error("go1.26.1-X:staticlockranking"),
            "prog: built with GOEXPERIMENT=staticlockranking; geist knows the default heap layout; "
            "build without it");
  EXPECT_EQ(error("go1.28", {.assume_go_minor = 40}),
            "--assume-go=1.40: geist knows Go 1.21 to 1.27; name one of these");
  EXPECT_TRUE(error("go1.28", {.assume_go_minor = 27})
                  .starts_with("prog: the tables do not look like Go 1.27: "));
}

}  // namespace
}  // namespace geist::read
