// What is read out of a profile, in every form that writers give it, and what is refused.
#include "profile/profile.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include "example_profile.h"
#include "profile/legacy.h"

namespace geist::profile {
namespace {

ExampleProfile two_functions() {
  ExampleProfile example;
  example.add_function(1, "main.main").add_function(2, "main.leaf");
  return example;
}

std::string error_of(std::string_view bytes) {
  Result<Profile> profile = read_text(bytes);
  if (!profile.ok()) return profile.error().message();
  for (const SampleBlock& block : profile->blocks) {
    SampleReader reader(profile.value(), block);
    while (reader.next()) {
    }
    if (reader.failed()) return "sample";
  }
  return "";
}

struct Read {
  std::vector<u32> locations;
  std::vector<i64> values;
};
std::vector<Read> samples_of(const Profile& profile) {
  std::vector<Read> samples;
  for (const SampleBlock& block : profile.blocks) {
    SampleReader reader(profile, block);
    while (reader.next())
      samples.push_back({{reader.locations().begin(), reader.locations().end()},
                         {reader.values().begin(), reader.values().end()}});
    EXPECT_FALSE(reader.failed());
  }
  return samples;
}

TEST(Varint, OfEveryLength) {
  for (unsigned bits = 0; bits <= 64; ++bits) {
    const u64 number = bits == 64 ? ~u64{0} : (u64{1} << bits) - (bits % 2);
    Message message;
    message.put_number(number);
    std::string bytes = message.bytes();
    const u8* at = reinterpret_cast<const u8*>(bytes.data());
    u64 read = 0;
    EXPECT_EQ(read_varint(at, at + bytes.size(), &read), at + bytes.size());
    EXPECT_EQ(read, number);
    EXPECT_EQ(read_varint(at, at + bytes.size() - 1, &read), nullptr) << "cut off: " << number;
    bytes += "\xff\x80\x01";  // what follows is not part of it
    at = reinterpret_cast<const u8*>(bytes.data());
    EXPECT_EQ(read_small_varint(at, at + bytes.size(), &read), at + message.bytes().size());
    EXPECT_EQ(read, number);
  }
}

TEST(Varint, EndsAfterTenBytes) {
  std::string bytes(12, '\xff');
  const u8* at = reinterpret_cast<const u8*>(bytes.data());
  u64 read = 0;
  EXPECT_EQ(read_varint(at, at + bytes.size(), &read), nullptr);
}

TEST(Profile, ReadsSamplesPackedAndOneByOne) {
  ExampleProfile example = std::move(two_functions().add_sample({{2, 1}, {3, -4096}}));
  Message sample, wrapped;
  sample.add(field::kLocationIds, u64{2});
  sample.add(field::kValues, u64{7});
  sample.add(15, std::string_view("a field of later writers"));
  sample.add(field::kLocationIds, u64{1});
  sample.add(field::kValues, u64{8});
  wrapped.add(field::kSample, sample);
  example.append(wrapped);
  Result<Profile> profile = read_text(example.bytes());
  ASSERT_TRUE(profile.ok()) << profile.error().message();
  std::vector<Read> samples = samples_of(profile.value());
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(profile->sample_count(), 2u);
  EXPECT_EQ(samples[0].locations, (std::vector<u32>{1, 0}));
  EXPECT_EQ(samples[0].values, (std::vector<i64>{3, -4096}));
  EXPECT_EQ(samples[1].locations, (std::vector<u32>{1, 0}));
  EXPECT_EQ(samples[1].values, (std::vector<i64>{7, 8}));
}

TEST(Profile, IdsMayBeAnything) {
  ExampleProfile example;
  example.add_function(~u64{0}, "a").add_function(1'000'000'007, "b").add_function(3, "c");
  example.add_sample({{3, 1'000'000'007, ~u64{0}}, {1, 1}});
  Result<Profile> profile = read_text(example.bytes());
  ASSERT_TRUE(profile.ok()) << profile.error().message();
  EXPECT_EQ(samples_of(profile.value())[0].locations, (std::vector<u32>{2, 1, 0}));
}

TEST(Profile, ManySamplesMakeBlocks) {
  ExampleProfile example = two_functions();
  for (int i = 0; i < 10'000; ++i) example.add_sample({{2, 1}, {1, i}});
  Result<Profile> profile = read_text(example.bytes());
  ASSERT_TRUE(profile.ok());
  EXPECT_GT(profile->blocks.size(), 1u);
  std::vector<Read> samples = samples_of(profile.value());
  ASSERT_EQ(samples.size(), 10'000u);
  EXPECT_EQ(samples[9'999].values[1], 9'999);
}

TEST(Profile, RefusesWhatPprofRefuses) {
  EXPECT_EQ(error_of(two_functions().add_sample({{2, 1}, {1, 2}}).bytes()), "");
  EXPECT_EQ(error_of(two_functions().add_sample({{2, 9}, {1, 2}}).bytes()), "sample");
  EXPECT_EQ(error_of(two_functions().add_sample({{2, 1}, {1}}).bytes()), "sample");
  EXPECT_EQ(error_of(two_functions().add_sample({{2, 1}, {1, 2, 3}}).bytes()), "sample");
  auto expect = [](const std::string& message, const char* part) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  expect(error_of(two_functions().add_function(2, "again").bytes()), "two functions with one id");
  expect(error_of(two_functions().add_location(2, {1}).bytes()), "two locations with one id");
  expect(error_of(two_functions().add_location(3, {4}).bytes()), "function that is not there");
  expect(error_of(two_functions().add_location(0, {1}).bytes()), "location with the id 0");
  expect(error_of(""), "is empty");
  expect(error_of("{\"a\": 1}"), "is no profile");
  std::string cut = two_functions().bytes();
  expect(error_of(std::string_view(cut).substr(0, cut.size() - 3)), "cut off");
  Message name;
  name.add(field::kDropFrames, u64{999});
  expect(error_of(two_functions().append(name).bytes()), "a name that is in no table");
}

TEST(Profile, FindsSampleTypesAsPprofDoes) {
  Result<Profile> profile = read_text(two_functions().bytes());
  ASSERT_TRUE(profile.ok());
  EXPECT_EQ(profile->find_sample_type("").value(), 1u);
  EXPECT_EQ(profile->find_sample_type("objects").value(), 0u);
  EXPECT_EQ(profile->find_sample_type("inuse_space").value(), 1u);
  EXPECT_EQ(profile->find_sample_type("0").value(), 0u);
  EXPECT_FALSE(profile->find_sample_type("2").ok());
  EXPECT_EQ(profile->find_sample_type("cpu").error().message(),
            "sample_index \"cpu\" must be one of: objects, space");
}

TEST(Unpack, GzipInMembersAndZstd) {
  std::string bytes = two_functions().add_sample({{2, 1}, {1, 2}}).bytes();
  EXPECT_EQ(error_of(gzip(bytes)), "");
  EXPECT_EQ(error_of(gzip(bytes.substr(0, 20)) + gzip(bytes.substr(20))), "");
  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), 3));
  EXPECT_EQ(error_of(packed), "");
}

TEST(Unpack, RefusesWhatIsCutOffOrDamaged) {
  std::string packed = gzip(two_functions().bytes());
  for (usize size : {usize{2}, usize{10}, packed.size() / 2, packed.size() - 1})
    EXPECT_NE(error_of(std::string_view(packed).substr(0, size)).find("truncated or damaged"),
              std::string::npos);
  packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x20);
  EXPECT_NE(error_of(packed), "");
}

// The size at the end of a gzip file is what its writer says.
TEST(Unpack, DoesNotBelieveTheSize) {
  std::string large(3 << 20, 'x'), packed = gzip(large);
  for (const char* size : {"\x01\x00\x00\x00", "\xff\xff\xff\xff"}) {
    packed.replace(packed.size() - 4, 4, size, 4);
    EXPECT_NE(error_of(packed).find("truncated or damaged"), std::string::npos);
  }
  std::string again = gzip(large);
  Result<LoadedBytes> whole =
      unpack({reinterpret_cast<const u8*>(again.data()), again.size()}, "p");
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->bytes().size(), large.size());
}

TEST(HeapText, ScalesWhatWasSampled) {
  // 100 of 1000 objects of 1 KiB at a rate of 10 KiB: factor 1 / (1 - exp(-0.1)).
  Result<Profile> profile = read_text(
      "heap profile: 1: 1024 [100: 102400] @ heap/20480\n1: 1024 [100: 102400] @ 0x11 0x21\n");
  ASSERT_TRUE(profile.ok()) << profile.error().message();
  ASSERT_EQ(profile->sample_types.size(), 4u);
  EXPECT_EQ(profile->sample_types[1].type, "alloc_space");
  EXPECT_EQ(samples_of(profile.value())[0].values, (std::vector<i64>{1050, 1076053, 10, 10760}));
  EXPECT_EQ(profile->locations[0].address, 0x10u);
}

TEST(HeapText, RefusesLinesThatAreNone) {
  EXPECT_EQ(error_of("heap profile: 1: 2 [3: 4] @ heap/2\nhello\n"),
            "p: line 2: neither a sample nor a comment: \"hello\"");
  EXPECT_EQ(error_of("heap profile: 1: 2 [3: 4] @ heap/2\n0: 5 [0: 0] @ 0x1\n"),
            "p: line 2: bytes without objects: \"0: 5 [0: 0] @ 0x1\"");
  EXPECT_EQ(error_of("heap profile: one\n"),
            "p: line 1: no header of a heap profile: \"heap profile: one\"");
  EXPECT_EQ(error_of("heap profile: 1: 2 [3: 4] @ heap/2\n1: 5 [0: 0] @ 0x11111111111111111\n"),
            "p: line 2: an address of more than 64 bits: \"1: 5 [0: 0] @ 0x11111111111111111\"");
}

}  // namespace
}  // namespace geist::profile
