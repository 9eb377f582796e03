// The fix as a patch, for every shape of append that a person writes: the changed lines, the
// import, and no patch at all where the text does not say for sure.
#include <gtest/gtest.h>

#include "source/source.h"

namespace geist::source {
namespace {

constexpr int kGenerics = 21;

// The file with the patch applied; "nothing" without one.
std::string fixed(const std::string& text, i32 line, int language = kGenerics) {
  SourceText source(text);
  std::optional<Patch> patch = derive_fix_patch(source, line, language, "x.go");
  if (!patch) return "nothing";
  std::string out;
  std::string rest = text;
  u32 last = static_cast<u32>(source.line_count());
  for (u32 i = 1; i <= last + 1;) {
    auto it = patch->replacements.find(i);
    if (it != patch->replacements.end()) {
      out += it->second.text;
      i += it->second.removed;
      if (it->second.removed > 0) continue;
    }
    if (i <= last)
      out += text.substr(source.start_of(i), source.start_of(i + 1) - source.start_of(i));
    ++i;
  }
  // What is written is what is read.
  std::optional<Patch> again = read_patch(emit_patch(*patch));
  EXPECT_TRUE(again.has_value());
  EXPECT_EQ(again.value_or(Patch()).replacements, patch->replacements);
  return out;
}

// Of a file of this one statement, the statement with the fix.
std::string fixed_statement(const std::string& statement, int language = kGenerics) {
  std::string head = "package x\n\nimport \"slices\"\n\nfunc f() {\n";
  std::string out = fixed(head + statement + "\n}\n", 6, language);
  return out == "nothing" ? out : out.substr(head.size(), out.size() - head.size() - 3);
}

TEST(FixPatch, CutsTheCapacityOfWhatCanBeWrittenTwice) {
  EXPECT_EQ(fixed_statement("\ts = append(s, 1)"), "\ts = append(s[:len(s):len(s)], 1)");
  EXPECT_EQ(fixed_statement("\treturn append(g.m, more...) // why"),
            "\treturn append(g.m[:len(g.m):len(g.m)], more...) // why");
  EXPECT_EQ(fixed_statement("\tt := append(a.b[i].c, x)"),
            "\tt := append(a.b[i].c[:len(a.b[i].c):len(a.b[i].c)], x)");
  EXPECT_EQ(fixed_statement("\tt := append(m[\"k\"], x)"),
            "\tt := append(m[\"k\"][:len(m[\"k\"]):len(m[\"k\"])], x)");
  EXPECT_EQ(fixed_statement("\tt := append(*p, x)"), "\tt := append((*p)[:len(*p):len(*p)], x)");
  EXPECT_EQ(fixed_statement("\tt := append(s[:i], s[i+1:]...)"),
            "\tt := append(s[:i:i], s[i+1:]...)");
  EXPECT_EQ(fixed_statement("\tt := append(s[1:], x)"), "\tt := append(s[1:len(s):len(s)], x)");
  EXPECT_EQ(fixed_statement("\tuse(y, append(s, x), z)"),
            "\tuse(y, append(s[:len(s):len(s)], x), z)");
}

TEST(FixPatch, OfCallsInEachOthersFirstPlaceTheInnermostIsCut) {
  EXPECT_EQ(fixed_statement("\tx = append(append(x, a...), b...)"),
            "\tx = append(append(x[:len(x):len(x)], a...), b...)");
  EXPECT_EQ(fixed_statement("\ts = append(append(s[:i], x), s[i:]...)", 22),
            "\ts = append(append(s[:i:i], x), s[i:]...)");
  EXPECT_EQ(fixed_statement("\tuse(append(append(x, a...), b...), append(y, c))", 22), "nothing");
}

std::string joined(const std::string& statement, int language, bool has_byte_elements) {
  SourceText source("package x\n\nfunc f() {\n" + statement + "\n}\n");
  std::optional<AppendEdit> edit = find_append_edit(source, 4, language, has_byte_elements);
  return edit ? edit->call : "nothing";
}

TEST(FixPatch, SlicesAreJoinedWhereThatIsSureToMeanTheSame) {
  EXPECT_EQ(joined("x := append(append(base, a...), g.b...)", 22, false),
            "slices.Concat(base, a, g.b)");
  EXPECT_EQ(joined("x := append(append(append(f(), a...), b()...), c...)", 22, false),
            "slices.Concat(f(), a, b(), c)");
  // No such function yet; a string may be appended to bytes; elements that are no slice; one append
  // alone.
  EXPECT_EQ(joined("x := append(append(y, a...), b...)", 21, false),
            "append(append(y[:len(y):len(y)], a...), b...)");
  EXPECT_EQ(joined("x := append(append(y, a...), b...)", 22, true),
            "append(append(y[:len(y):len(y)], a...), b...)");
  EXPECT_EQ(joined("x := append(append(y, a), b...)", 22, false),
            "append(append(y[:len(y):len(y)], a), b...)");
  EXPECT_EQ(joined("x := append(y, b...)", 22, false), "append(y[:len(y):len(y)], b...)");
  EXPECT_EQ(joined("x := append(append(f(), a), b...)", 17, false), "nothing");
}

TEST(FixPatch, TheElementsTellTwoCallsApart) {
  auto fix = [](const std::string& statement, const char* element_type) {
    SourceText source("package x\n\nfunc f() {\n\t" + statement + "\n}\n");
    std::optional<AppendEdit> edit = find_append_edit(source, 4, 21, false, element_type);
    return edit ? edit->call : "nothing";
  };
  EXPECT_EQ(fix("rows = append(rows, append(base, s))", "string"),
            "append(base[:len(base):len(base)], s)");
  EXPECT_EQ(fix("r.all = append(r.all, &route{p, append(r.common, h)})", "func() string"),
            "append(r.common[:len(r.common):len(r.common)], h)");
  EXPECT_EQ(fix("rows = append(rows, append(base, s))", "[]string"), "nothing");
  EXPECT_EQ(fix("rows = append(rows, append(base, s))", "main.path"), "nothing") << "of either";
  EXPECT_EQ(fix("out = append(out, leaves(k, append(p, k.name))...)", "string"), "nothing");
  EXPECT_EQ(fix("rows = append(rows, append(base, s))", ""), "nothing");
}

TEST(FixPatch, ClonesWhatMustNotRunTwice) {
  EXPECT_EQ(fixed_statement("\tt := append(next(), x)"), "\tt := append(slices.Clone(next()), x)");
  EXPECT_EQ(fixed_statement("\tt := append(m[key()], x)"),
            "\tt := append(slices.Clone(m[key()]), x)");
  EXPECT_EQ(fixed_statement("\tt := append(<-ch, x)"), "\tt := append(slices.Clone(<-ch), x)");
  EXPECT_EQ(fixed_statement("\tt := append(v.(T).list, x)"),
            "\tt := append(slices.Clone(v.(T).list), x)");
  EXPECT_EQ(fixed_statement("\tt := append(List[T](xs), x)"),
            "\tt := append(slices.Clone(List[T](xs)), x)");
  EXPECT_EQ(fixed_statement("\tt := append(r.get().list, f()...)"),
            "\tt := append(slices.Clone(r.get().list), f()...)");
  EXPECT_EQ(fixed_statement("\tt := append(s[:n()], x)"),
            "\tt := append(slices.Clone(s[:n()]), x)");
}

TEST(FixPatch, KeepsTheRoomThatTheFunctionGoesOnToUse) {
  EXPECT_EQ(fixed_statement("\ts = append(s[:i], s[j:]...)\n\tclear(s[len(s):old])"),
            "\ts = append(slices.Clone(s)[:i], s[j:]...)\n\tclear(s[len(s):old])");
  EXPECT_EQ(
      fixed_statement(
          "\tq.jobs = append(q.jobs[:i], q.jobs[j:]...)\n\tzero(q.jobs[len(q.jobs):n])"),
      "\tq.jobs = append(slices.Clone(q.jobs)[:i], q.jobs[j:]...)\n\tzero(q.jobs[len(q.jobs):n])");
  EXPECT_EQ(fixed_statement("\ts = append(s[:i], s[j:]...)\n\tuse(t[len(t):old])"),
            "\ts = append(s[:i:i], s[j:]...)\n\tuse(t[len(t):old])");
}

TEST(FixPatch, LeavesTheRestOfTheCallAsItIsWritten) {
  EXPECT_EQ(fixed_statement("\tt = append( s , /* one */ 1,\n\t\t2, // two\n\t)"),
            "\tt = append( s[:len(s):len(s)] , /* one */ 1,\n\t\t2, // two\n\t)");
  EXPECT_EQ(fixed_statement("\tt = append(\n\t\ts.list,\n\t\t\"a, b)\",\n\t)"),
            "\tt = append(\n\t\ts.list[:len(s.list):len(s.list)],\n\t\t\"a, b)\",\n\t)");
  EXPECT_EQ(fixed_statement("\tt = append(s, append([]int{1}, 2)...)"),
            "\tt = append(s[:len(s):len(s)], append([]int{1}, 2)...)");
}

TEST(FixPatch, KeepsSilentWhereItIsNotSure) {
  EXPECT_EQ(fixed_statement("\ta, b := append(s, 1), append(t, 2)"), "nothing");
  EXPECT_EQ(fixed_statement("\tt := append(next(), x)", 17),
            "nothing");  // no generic calls in that language
  EXPECT_EQ(fixed_statement("\tt := append(next(), x)", 0), "nothing");
  EXPECT_EQ(fixed_statement("\t// append(s, 1)"), "nothing");
  EXPECT_EQ(fixed("package x\n\nfunc f() { s = append(s, 1) }", 3), "nothing");  // no line end
}

TEST(FixPatch, DoesNotCallALenOfTheFilesOwn) {
  EXPECT_EQ(fixed_statement("\ts = append(s, 1); len := 2; _ = len"),
            "\ts = append(slices.Clone(s), 1); len := 2; _ = len");
  EXPECT_EQ(fixed_statement("\ts = append(s, r.len)"), "\ts = append(s[:len(s):len(s)], r.len)");
}

TEST(FixPatch, ImportsSlicesInItsPlace) {
  std::string tail = "\nfunc f() { t = append(g(), 1) }\n";
  std::string after = "\nfunc f() { t = append(slices.Clone(g()), 1) }\n";
  EXPECT_EQ(fixed("package x\n" + tail, 3), "package x\n\nimport \"slices\"\n" + after);
  EXPECT_EQ(fixed("package x\n\nimport \"fmt\"\n" + tail, 5),
            "package x\n\nimport \"fmt\"\nimport \"slices\"\n" + after);
  EXPECT_EQ(
      fixed("package x\n\nimport (\n\t\"fmt\"\n\t\"strings\"\n\n\t\"example.com/y\"\n)\n" + tail,
            10),
      "package x\n\nimport (\n\t\"fmt\"\n\t\"slices\"\n\t\"strings\"\n\n\t\"example.com/y\"\n)\n" +
          after);
  EXPECT_EQ(fixed("package x\n\nimport (\n\t\"fmt\"\n\n\t\"example.com/y\"\n)\n" + tail, 9),
            "package x\n\nimport (\n\t\"fmt\"\n\t\"slices\"\n\n\t\"example.com/y\"\n)\n" + after);
  EXPECT_EQ(fixed("package x\n\nimport (\n\t\"fmt\"\n)\n" + tail, 7),
            "package x\n\nimport (\n\t\"fmt\"\n\t\"slices\"\n)\n" + after);
}

TEST(FixPatch, DoesNotImportOverAnotherSlices) {
  EXPECT_EQ(fixed("package x\n\nvar slices int\n\nfunc f() { t = append(g(), 1) }\n", 5),
            "nothing");
  EXPECT_EQ(
      fixed(
          "package x\n\nimport \"example.com/slices\"\n\nfunc f() { t = append(g(), slices.X) }\n",
          5),
      "nothing");
}

TEST(FixPatch, WritesAUnifiedDiff) {
  SourceText source("package x\n\n// f appends.\nfunc f() {\n\ts = append(s, 1)\n}\n");
  EXPECT_EQ(emit_patch(*derive_fix_patch(source, 5, 21, "a/x.go")),
            "--- a/a/x.go\n+++ b/a/x.go\n@@ -2,5 +2,5 @@\n \n // f appends.\n func f() {\n-\ts = "
            "append(s, 1)\n"
            "+\ts = append(s[:len(s):len(s)], 1)\n }\n");
}

TEST(Patches, OfOneFileAreMerged) {
  std::string text = "package x\n";
  for (int i = 2; i <= 40; ++i)
    text += i % 5 == 0 ? "\ts = append(s, " + std::to_string(i) + ")\n"
                       : "\t// " + std::to_string(i) + "\n";
  SourceText source(text);
  Patch all = *derive_fix_patch(source, 10, 21, "x.go");
  ASSERT_TRUE(merge_patch(*derive_fix_patch(source, 15, 21, "x.go"), &all));
  ASSERT_TRUE(
      merge_patch(*derive_fix_patch(source, 15, 21, "x.go"), &all));  // once more changes nothing
  ASSERT_TRUE(merge_patch(*derive_fix_patch(source, 35, 21, "x.go"), &all));
  std::string diff = emit_patch(all);
  EXPECT_NE(diff.find("@@ -7,12 +7,12 @@\n"), std::string::npos) << diff;
  EXPECT_NE(diff.find("@@ -32,7 +32,7 @@\n"), std::string::npos) << diff;
  EXPECT_EQ(read_patch(diff)->replacements.size(), 3u);
  Patch other = *derive_fix_patch(source, 10, 21, "x.go");
  other.replacements.begin()->second.text = "different\n";
  EXPECT_FALSE(merge_patch(other, &all));
}

TEST(Patches, DamageGivesNothing) {
  const std::string whole = "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n-b\n+c\n d\n";
  ASSERT_TRUE(read_patch(whole).has_value());
  EXPECT_EQ(emit_patch(*read_patch(whole)), whole);
  for (usize size = 0; size + 2 < whole.size(); ++size)
    EXPECT_FALSE(read_patch(whole.substr(0, size)).has_value()) << size;
  EXPECT_FALSE(read_patch("--- a/x\n@@ -1,1 +1,1 @@\n-a\n-b\n").has_value());
  EXPECT_FALSE(read_patch("--- a/x\n@@ -99999999999,1 +1 @@\n-a\n+b\n").has_value());
}

}  // namespace
}  // namespace geist::source
