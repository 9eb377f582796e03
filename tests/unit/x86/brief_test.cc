// Brief decoding says what full decoding says: every opcode of the one-byte and 0F maps with every
// ModRM byte, under the prefixes that matter.
#include "x86/brief.h"

#include <gtest/gtest.h>

#include <array>

namespace geist::x86 {
namespace {

constexpr ImageAddr kAt(0x401000);

std::string describe(ByteView bytes) {
  std::string text = format(bytes, kAt) + " of";
  for (u8 byte : bytes) text += " " + std::to_string(byte);
  return text;
}

// Empty when both agree.
std::string compare(ByteView bytes) {
  const std::optional<Insn> insn = decode(bytes, kAt);
  const std::optional<Brief> brief = decode_brief(bytes, kAt);
  if (insn.has_value() != brief.has_value()) return describe(bytes) + ": only one decodes";
  if (!insn) return "";
  if (insn->length != brief->length) return describe(bytes) + ": length";
  if (insn->flow != brief->flow || insn->target != brief->target) return describe(bytes) + ": flow";
  if (insn->flow == Flow::kJcc && insn->cond != brief->cond) return describe(bytes) + ": condition";
  if (insn->reads != brief->reads) return describe(bytes) + ": reads";
  if (insn->writes != brief->writes) return describe(bytes) + ": writes";
  return "";
}

// One shape of an instruction: prefix, REX (0: none) and the opcode, completed by all ModRM bytes.
struct Shape {
  u8 prefix, rex;
  bool two_byte;
  u8 opcode;

  std::vector<u8> bytes_with(u8 modrm) const {
    std::vector<u8> bytes;
    if (prefix != 0) bytes.push_back(prefix);
    if (rex != 0) bytes.push_back(rex);
    if (two_byte) bytes.push_back(0x0f);
    bytes.push_back(opcode);
    bytes.push_back(modrm);
    // A SIB byte with index and base, and more than the longest displacement and immediate.
    for (u8 byte : std::initializer_list<u8>{0x8d, 0x10, 0x20, 0x00, 0x00, 0x7f, 0x80, 0x01, 0x02,
                                             0x03, 0x04})
      bytes.push_back(byte);
    return bytes;
  }
};

TEST(Brief, SaysWhatFullDecodingSays) {
  usize wrong = 0;
  for (u8 prefix : std::initializer_list<u8>{0x00, 0x66, 0xf2, 0xf3}) {
    for (u8 rex : std::initializer_list<u8>{0x00, 0x40, 0x45, 0x48, 0x4f}) {
      for (u32 opcode = 0; opcode < 512; ++opcode) {
        for (u32 modrm = 0; modrm < 256; ++modrm) {
          const Shape shape{prefix, rex, opcode >= 256, static_cast<u8>(opcode)};
          const std::string difference = compare(shape.bytes_with(static_cast<u8>(modrm)));
          if (difference.empty()) continue;
          ADD_FAILURE() << difference;
          if (++wrong == 20) return;
        }
      }
    }
  }
}

TEST(Brief, AnIndexOrABaseMayBeMissing) {
  for (u32 sib = 0; sib < 256; ++sib) {
    for (u8 modrm : std::initializer_list<u8>{0x04, 0x44, 0x84, 0x05, 0x0c}) {
      for (u8 rex : std::initializer_list<u8>{0x48, 0x4a, 0x49, 0x4f}) {
        EXPECT_EQ(compare(std::vector<u8>{rex, 0x8b, modrm, static_cast<u8>(sib), 1, 2, 3, 4}), "");
      }
    }
  }
}

TEST(Brief, WhatIsCutShortIsNothing) {
  const std::vector<u8> whole{0x66, 0x48, 0x81, 0x84, 0xc8, 1, 2, 3, 4, 5, 6, 7, 8};
  for (usize size = 0; size <= whole.size(); ++size)
    EXPECT_EQ(compare(ByteView(whole).first(size)), "");
}

}  // namespace
}  // namespace geist::x86
