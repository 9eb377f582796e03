// A Report as bytes, one file a format. Text is for people at 3 a.m., JSON (geist-report/1) is what every other format
// is made from. Nothing here reads ELF or a process; everything shown is in the Report.
#pragma once

#include <string>
#include <vector>

#include "judge/finding.h"

namespace geist::report {

struct TextOptions {
  bool color = false;
  u32 width = 100;
  std::string strip_path_prefix;
};

// The findings, each between lines of '=', and the one-line summary.
std::string emit_text(const judge::Report& report, const TextOptions& options);
// One line: "geist: 1 ghost write (1 confirmed) · 637 of 642 append sites probed, ... ". No newline.
std::string emit_summary_line(const judge::Report& report);
// geist-report/1, two-space indent, newline at the end.
std::string emit_json(const judge::Report& report);

// "echo.(*Group).add" from "github.com/labstack/echo.(*Group).add".
std::string short_function(const std::string& function);
// The path relative to the main module, to a dependency's module root or to GOROOT/src; the base name in the two-line head.
std::string short_file(const std::string& file, const judge::Target& target, const TextOptions& options);

// Values of elements: bytes as text, numbers as lists, and the base for judge to print typed values lives in judge/.
}  // namespace geist::report
