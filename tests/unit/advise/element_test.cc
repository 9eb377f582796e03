// Types of a report as Go source: what is understood is written, and nothing else.
#include "advise/element.h"

#include <gtest/gtest.h>

namespace geist::advise {
namespace {

findings::Finding finding_of(const std::string& type, u64 size) {
  findings::Finding finding;
  finding.element_type = type;
  finding.element_size = size;
  return finding;
}

std::string type_of(const std::string& type, u64 size) {
  Result<Element> element = make_element(finding_of(type, size));
  return element.ok() ? element->type : element.error().message();
}

TEST(Element, NamesWhatNeedsNoImport) {
  EXPECT_EQ(type_of("string", 16), "string");
  EXPECT_EQ(type_of("interface {}", 16), "any");
  EXPECT_EQ(type_of("[]uint8", 24), "[]uint8");
  EXPECT_EQ(type_of("*[4]string", 8), "*[4]string");
  EXPECT_EQ(type_of("[16]uint8", 16), "[16]uint8");
  Element element = make_element(finding_of("[2]string", 32)).value();
  EXPECT_EQ(element.value, "[2]string{strconv.Itoa(1000 + i)}");
  EXPECT_TRUE(element.has_pointers);
  EXPECT_EQ(element.note, "");
}

TEST(Element, TakesTheSameSizeForOtherNames) {
  findings::Finding finding = finding_of("main.order", 24);
  finding.before_hex =
      "90e1b8772d330000"
      "0500000000000000"
      "0000000000000000";
  finding.after_hex =
      "00e1b8772d330000"
      "0600000000000000"
      "0100000000000000";
  Element element = make_element(finding).value();
  EXPECT_EQ(element.type, "struct { f0 [1]unsafe.Pointer; f1 [2]uintptr }");
  EXPECT_EQ(element.note,
            "main.order is measured as a type of the same size, 24 bytes with 1 pointer: the words "
            "that hold addresses in "
            "the finding's values");
  EXPECT_EQ(type_of("main.flags", 3), "struct { f0 [3]byte }");
  EXPECT_EQ(type_of("", 8), "struct { f0 [1]uintptr }");
  EXPECT_EQ(type_of("int", 16), "struct { f0 [2]uintptr }") << "a name whose size is another one";
}

// A word that is a number in one of the values is no pointer, and cut or wrong digits are nothing.
TEST(Element, DoubtsItsBytes) {
  findings::Finding finding = finding_of("main.x", 8);
  finding.before_hex = "90e1b8772d330000";
  finding.after_hex = "0100000000000000";
  EXPECT_EQ(make_element(finding)->type, "struct { f0 [1]uintptr }");
  finding.after_hex = "zz";
  finding.before_hex = "90e1b8";
  EXPECT_EQ(make_element(finding)->type, "struct { f0 [1]uintptr }");
}

TEST(Element, WritesNothingItDoesNotUnderstand) {
  for (const char* name : {"int; func init() { panic(1) }", "[]int{}; var _ = 1", "string\n",
                           "[9999999999999999999]int", "[-1]int", "[0]int", "[]", "[", "*", "chan ",
                           "[]main.x", "func()", "[2]", "int//"}) {
    EXPECT_EQ(type_of(name, 8), "struct { f0 [1]uintptr }") << name;
  }
  std::string deep(100000, '*');
  deep.append("int");
  EXPECT_EQ(type_of(deep, 8), "struct { f0 [1]uintptr }");
}

TEST(Element, RefusesSizes) {
  EXPECT_EQ(type_of("struct {}", 0), "no size of its elements is known");
  EXPECT_EQ(type_of("main.big", kMostElement + 1),
            "its elements have 1048577 bytes, more than 1048576 are not measured");
}

}  // namespace
}  // namespace geist::advise
