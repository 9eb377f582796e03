// The report of the documentation: echo's middleware that lost its guard. Golden texts and the
// schema test share it.
#pragma once

#include "findings/finding.h"

namespace geist::report {

inline findings::Frame make_frame(const std::string& function, const std::string& file, i32 line,
                                  const std::string& source = "") {
  findings::Frame frame;
  frame.function = function;
  frame.file = file;
  frame.line = line;
  frame.source = source;
  return frame;
}

inline findings::Finding example_finding() {
  const std::string echo = "/home/u/go/pkg/mod/github.com/labstack/echo@v2.0.1+incompatible/";
  findings::Finding finding;
  finding.id = 1;
  finding.level = findings::Level::kConfirmed;
  finding.fingerprint = "9f1c";
  finding.goroutine = "1";
  finding.pc = "0x569964";
  finding.append_stack = {
      make_frame("github.com/labstack/echo.(*Group).add", echo + "group.go", 145,
                 "middleware = append(g.middleware, middleware...)"),
      make_frame("github.com/labstack/echo.(*Group).GET", echo + "group.go", 41),
      make_frame("main.main", "/home/u/prog/main.go", 28),
      make_frame("runtime.main", "/usr/local/go/src/runtime/proc.go", 290),
      make_frame("runtime.goexit", "/usr/local/go/src/runtime/asm_amd64.s", 1771),
  };
  finding.element_type = "echo.MiddlewareFunc";
  finding.element_size = 8;
  finding.array_address = "0xc0000b4000";
  finding.array_capacity = 4;
  finding.old_len = 3;
  finding.added = 1;
  finding.cap = 4;
  finding.element_index = 3;
  finding.before = "main.main.func1.1 {n: \"require-admin\"}";
  finding.after = "main.main.func1.1 {n: \"allow-anyone\"}";
  finding.before_hex = "0040c80000c00000";
  finding.after_hex = "2040c80000c00000";
  finding.victim.holder = findings::Holder::kHeap;
  finding.victim.name = "middleware in echo.(*Echo).add.func1";
  finding.victim.type = "[]echo.MiddlewareFunc";
  finding.victim.len = 4;
  finding.victim.cap = 4;
  finding.victim.address = "0xc0000a8010";
  finding.victim.made_by = {
      make_frame("github.com/labstack/echo.(*Group).add", echo + "group.go", 145)};
  finding.victim.made_by_note = "the same append, earlier";
  finding.reader_goroutine = "1";
  finding.reader_stack = {make_frame("github.com/labstack/echo.(*Echo).add.func1", echo + "echo.go",
                                     469, "h = middleware[i](h)")};
  finding.drawing = {{"g.middleware", 0, 3, 4}, {"victim", 0, 4, 4}, {"this append", 0, 4, 4}};
  finding.fix = "append(g.middleware[:len(g.middleware):len(g.middleware)], middleware...)";
  return finding;
}

inline findings::Report example_report() {
  findings::Report report;
  report.geist_version = "0.1.0";
  report.target.command = {"./prog"};
  report.target.binary = "prog";
  report.target.go = "go1.26.8";
  report.target.module = "example.com/prog";
  report.target.module_dir_hint = "/home/u/prog";
  report.target.goroot = "/usr/local/go";
  report.target.build_id = "abc/def";
  report.sites.growslice_calls = 666;
  report.sites.always_grows = 24;
  report.sites.without_grow_path = {{"/home/me/app/main.go", 12}};
  report.sites.probed = 637;
  report.sites.skipped = {{"element_type_unknown", 3}, {"operands_do_not_match", 2}};
  report.events = {65, 9, 13, 13};
  report.findings = {example_finding()};
  report.lost = {{"ring_full", 0}, {"not_watched", 0}};
  report.cost = {.wall_s = 1.02, .parked_s = 0.004, .monitor_cpu_s = 0.03};
  return report;
}

}  // namespace geist::report
