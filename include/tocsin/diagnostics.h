// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with a document that somebody wrote, and where: all of it at once, in the form
//
//   rules/mesh.yaml:14:13: error: unknown function 'histogram_quantille' [promql/unknown-function]
//       expr: histogram_quantille(0.99, sum by (le) (rate(response_latency_ms_bucket[5m])))
//             ^^^^^^^^^^^^^^^^^^^
//     in alert 'SlowResponses', group 'golden-signals'
//     hint: did you mean 'histogram_quantile'?
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin {

enum class Severity { Error, Warning };

// A place in a file. Lines and columns count from 1; 0 means unknown. Columns are bytes.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
  int length = 1;  // How many bytes the caret underlines.

  std::string text() const;  // "file:line:column", as far as it is known.
};

struct Diagnostic {
  Severity severity = Severity::Error;
  std::string code;  // Stable, for machines and for `# tocsin disable`: "layer/what".
  Place place;
  std::string message;  // Lower case, no full stop.
  std::string context;  // "alert 'X', group 'Y'"; may be empty.
  std::string hint;     // What to do; may be empty.
  std::string snippet;  // The line of the file; may be empty.
};

class Diagnostics {
 public:
  void add(Diagnostic d) { all_.push_back(std::move(d)); }
  void append(const Diagnostics& other);

  const std::vector<Diagnostic>& all() const { return all_; }
  bool empty() const { return all_.empty(); }
  bool has_errors() const { return count(Severity::Error) > 0; }
  std::size_t count(Severity severity) const;

  // All of them, in the form above, in file and line order. `color` adds ANSI colours.
  std::string text(bool color = false) const;

 private:
  std::vector<Diagnostic> all_;
};

// The candidate nearest to `word` by edit distance, for "did you mean"; empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace tocsin
