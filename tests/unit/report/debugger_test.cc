// What a report says of places becomes a debugger's words, and nothing else does.
#include "report/debugger.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "program/location_text.h"
#include "example_report.h"

namespace geist::report {
namespace {

using program::ValueLocation;
using Kind = ValueLocation::Kind;

std::string gdb(std::string_view text) {
  return translate_location(text, Debugger::kGdb).value_or("refused");
}

std::string dlv(std::string_view text) {
  return translate_location(text, Debugger::kDlv).value_or("refused");
}

TEST(Location, EachKindIsTextAndBothDebuggersWords) {
  struct Row {
    ValueLocation at;
    const char* text;
    const char* gdb;
    const char* dlv;
  };
  const Row rows[] = {
      {{.kind = Kind::kConstant, .addend = 3}, "3", "3", "3"},
      {{.kind = Kind::kRegister, .reg = x86::kRbx, .addend = 1}, "rbx+1", "reg('rbx') + 1", "RBX + 1"},
      {{.kind = Kind::kRegister, .reg = x86::kR9}, "r9", "reg('r9')", "R9"},
      {{.kind = Kind::kStackSlot, .disp = 0x38, .addend = -1},
       "[rsp+0x38]-1", "word(reg('rsp') + 56) - 1", "*(*uint64)(RSP + 56) - 1"},
      {{.kind = Kind::kMemory, .reg = x86::kRdx, .disp = 8},
       "[rdx+8]", "word(reg('rdx') + 8)", "*(*uint64)(RDX + 8)"},
      {{.kind = Kind::kMemoryViaSlot, .disp = 0x10, .slot = 8},
       "[[rsp+8]+0x10]", "word(word(reg('rsp') + 8) + 16)", "*(*uint64)(*(*uint64)(RSP + 8) + 16)"},
      {{.kind = Kind::kGlobal, .disp = 0x4d2000},
       "[image+0x4d2000]", "word(image + 5054464)", "*(*uint64)(0 + 5054464)"},
      {{.kind = Kind::kImageAddress, .disp = 0x4d2000},
       "image+0x4d2000", "image + 5054464", "0 + 5054464"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(program::location_text(row.at), row.text);
    EXPECT_EQ(gdb(row.text), row.gdb);
    EXPECT_EQ(dlv(row.text), row.dlv);
  }
}

TEST(Location, NothingElseIsTakenFromAReport) {
  const std::string deep = "[[[[[rsp]]]]]", long_one = "rax" + std::string(80, '1');
  for (const std::string& text :
       {std::string(), std::string("rax\nshell touch x"), std::string("__import__('os')"),
        std::string("rax)"), std::string("[rax"), std::string("rax]"), std::string("rax+"),
        std::string("eip"), std::string("rax+rbx"), std::string("0x"), std::string("1 + 1"),
        std::string("99999999999999999999999"), deep, long_one}) {
    EXPECT_EQ(gdb(text), "refused") << text;
    EXPECT_EQ(dlv(text), "refused") << text;
  }
}

findings::Report with_stop() {
  findings::Report report = example_report();
  report.findings[0].stop = {"0x4a2b3c", "rax", "rbx", "[rsp+0x38]", "1", 1, "[rsp+0x20]", "3"};
  return report;
}

TEST(Script, SaysWhereToStop) {
  Result<std::string> script = emit_script(with_stop(), Debugger::kDlv);
  ASSERT_TRUE(script.ok());
  EXPECT_NE(script->find("\nbreak ghost *0x4a2b3c\n"), std::string::npos) << script.value();
  EXPECT_NE(script->find("\ncondition ghost (RBX) <= (*(*uint64)(RSP + 56)) && "), std::string::npos)
      << script.value();
  Result<std::string> other = emit_script(with_stop(), Debugger::kGdb);
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(other->find("@REPORT@"), std::string::npos);
  EXPECT_NE(other->find("reg('rax')"), std::string::npos);
}

TEST(Script, AHostileReportAddsNoLineOfItsOwn) {
  const findings::Report honest = with_stop();
  findings::Report report = honest;
  for (findings::Finding& finding : report.findings) {
    finding.before = "\"\nshell touch owned\n";
    finding.after = "\"\"\"\nend\npython\n";
    finding.element_type = "int)(0)\nexit\n";
    finding.victim.name = "x\nexit\n";
    finding.victim.function = "main.f\nexit";
    finding.append_stack[0].function = "main.f\nexit\n";
    finding.append_stack[0].file = "f.go\nexit";
  }
  report.target.build_id = "\"\nend\n";
  const auto lines = [](const std::string& text) { return std::ranges::count(text, '\n'); };
  Result<std::string> gdb = emit_script(report, Debugger::kGdb);
  ASSERT_TRUE(gdb.ok());
  EXPECT_EQ(lines(gdb.value()), lines(emit_script(honest, Debugger::kGdb).value()));
  Result<std::string> dlv = emit_script(report, Debugger::kDlv);
  ASSERT_TRUE(dlv.ok());
  EXPECT_LE(lines(dlv.value()), lines(emit_script(honest, Debugger::kDlv).value()));
  EXPECT_EQ(dlv->find("\nshell"), std::string::npos) << dlv.value();
  EXPECT_EQ(dlv->find("\nexit\n"), dlv->size() - 6) << dlv.value();
}

TEST(Script, IsRefusedWhereNothingSaysWhere) {
  findings::Report report = example_report();
  for (findings::Finding& finding : report.findings) finding.stop = {};
  EXPECT_FALSE(emit_script(report, Debugger::kGdb).ok());
  report = with_stop();
  report.findings[0].stop.pc = "0x12\nexit";
  for (usize i = 1; i < report.findings.size(); ++i) report.findings[i].stop = {};
  EXPECT_FALSE(emit_script(report, Debugger::kDlv).ok());
  report = with_stop();
  report.target.position_independent = true;
  EXPECT_FALSE(emit_script(report, Debugger::kDlv).ok());
  EXPECT_TRUE(emit_script(report, Debugger::kGdb).ok());
}

}  // namespace
}  // namespace geist::report
