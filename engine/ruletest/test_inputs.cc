// SPDX-License-Identifier: Apache-2.0
//
// Whether what a file of rule tests names is there.
#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "daemon/rule_files.h"
#include "ruletest/mesh_fault.h"
#include "ruletest/test_file.h"

namespace tocsin::ruletest {
namespace {

class InputCheck {
 public:
  explicit InputCheck(const TestFile& file) : file_(file) {}

  Diagnostics run() {
    for (const std::string& pattern : file_.rule_files) check_rule_files(pattern);
    for (const TestCase& test : file_.tests) {
      if (test.pages) check_pages(test, *test.pages);
      if (test.mesh) check_mesh(*test.mesh);
    }
    return std::move(problems_);
  }

 private:
  static bool is_there(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
  }

  // A pattern may be for files that are still to come, as promtool has it. Differs from promtool: a
  // file that is named and is not there is an error, since every test of its rules would pass that
  // expects no alert.
  void check_rule_files(const std::string& pattern) {
    const auto paths = daemon::find_rule_files({pattern});
    if (paths.empty()) {
      add(Severity::Warning, file_.rule_files_line, "no rule file matches '" + pattern + "'",
          "rule files are looked for beside the file of tests");
    } else if (!is_there(paths.front())) {
      add(Severity::Error, file_.rule_files_line, "there is no rule file '" + paths.front() + "'",
          "rule files are looked for beside the file of tests");
    }
  }

  void check_pages(const TestCase& test, const InputPages& pages) {
    bool has_page = false;
    for (const std::string& pattern : pages.files) {
      for (const std::string& path : glob_files(pattern)) {
        has_page = true;
        if (!is_there(path)) add(Severity::Error, test.line, "there is no page '" + path + "'");
      }
    }
    if (!has_page) add(Severity::Error, test.line, "no captured page matches 'input_pages'");
  }

  void check_mesh(const InputMesh& mesh) {
    const auto simulated = mesh_of(mesh);
    if (!simulated) add(Severity::Error, mesh.line, simulated.error().message);
  }

  void add(Severity severity, int line, std::string message, std::string hint = "") {
    problems_.add({severity,
                   "test/not-there",
                   {file_.path, line, 1, 1},
                   std::move(message),
                   "",
                   std::move(hint),
                   ""});
  }

  const TestFile& file_;
  Diagnostics problems_;
};

}  // namespace

Diagnostics check_inputs(const TestFile& file) { return InputCheck(file).run(); }

}  // namespace tocsin::ruletest
