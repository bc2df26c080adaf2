// SPDX-License-Identifier: Apache-2.0
#include "daemon/rule_files.h"

#include <doctest/doctest.h>

#include <fstream>

#include "daemon/config.h"
#include "support/folder.h"

namespace tocsin::daemon {
namespace {

TEST_CASE(
    "a pattern without files is a warning; of one that had some, an error that says what to do") {
  const testing::Folder folder;
  const std::vector<std::string> patterns{folder.path() + "/a/*.yaml", folder.path() + "/b/*.yaml"};
  const auto errors = [&](const std::vector<std::string>& had_files) {
    const Diagnostics found = load_rules(patterns, rule::Memory::Recorded, had_files).diagnostics;
    REQUIRE(found.all().size() == 2);
    return found.count(Severity::Error);
  };
  CHECK(errors({}) == 0);
  CHECK(errors({patterns[0]}) == 1);
  CHECK(errors({"elsewhere/*.yaml"}) == 0);
  CHECK(find_lost_files(patterns, {patterns[0]}).text() ==
        patterns[0] +
            ": error: no rule file matches this pattern any more [rule/files-gone]\n"
            "  hint: bring the files back or, if their rules are to go, take the pattern out of "
            "rule_files in the configuration\n");
}

TEST_CASE("a pattern without files, and a file that is not there, are found in the configuration") {
  const testing::Folder folder;
  const std::string path = folder.path() + "/tocsin.yaml";
  const Config config =
      read_config(path, "global: {}\nrule_files:\n  - 'a/*.yaml'\n  - b.yaml\n").config;
  const Diagnostics found =
      read_rule_files(config.rule_files, {}, config.rule_file_places).problems;
  CHECK(found.text() == path + ":3:5: warning: no rule file matches '" + folder.path() +
                            "/a/*.yaml' [rule/no-files]\n  hint: look at rule_files\n" + path +
                            ":4:5: error: " + folder.path() +
                            "/b.yaml: No such file or directory [rule/unreadable]\n"
                            "  hint: look at rule_files in the configuration\n");
}

TEST_CASE("a pattern that had files is known to, for as long as it is in the configuration") {
  const testing::Folder folder;
  std::ofstream(folder.path() + "/b.yaml") << "groups: []";
  const std::vector<std::string> patterns{folder.path() + "/a*.yaml", folder.path() + "/b*.yaml"};
  using Patterns = std::vector<std::string>;
  CHECK(patterns_with_files(patterns, {}) == Patterns{patterns[1]});
  CHECK(patterns_with_files(patterns, {patterns[0]}) == patterns);
  CHECK(patterns_with_files({patterns[1]}, patterns) == Patterns{patterns[1]});
  CHECK_FALSE(load_rules({patterns[1]}, rule::Memory::Recorded, patterns).diagnostics.has_errors());
}

}  // namespace
}  // namespace tocsin::daemon
