// SPDX-License-Identifier: Apache-2.0
#include "promql/script_reader.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "promql/lexer.h"
#include "tocsin/duration.h"

namespace tocsin::promql {
namespace {

constexpr std::array<std::string_view, 2> kLoads{"load", "load_with_nhcb"};
constexpr std::array<std::string_view, 5> kEvals{"eval", "eval_fail", "eval_warn", "eval_info",
                                                 "eval_ordered"};

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text = trim(text.substr(end));
  return word;
}

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_command(std::string_view line) {
  const std::string_view word = take_word(line);
  return word == "clear" || is_one_of(kLoads, word) || is_one_of(kEvals, word);
}

// Times are durations from the beginning of Unix time, or seconds; a duration may have a sign.
std::optional<Duration> read_time(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (const auto duration = parse_duration(text.substr(negative ? 1 : 0))) {
    return negative ? -*duration : *duration;
  }
  if (const auto seconds = parse_number(text)) return Duration(std::llround(*seconds * 1000.0));
  return std::nullopt;
}

// Takes `word` and a time; false when either is not there.
bool take_time(std::string_view& text, std::string_view word, Duration& out) {
  if (take_word(text) != word) return false;
  const auto time = read_time(take_word(text));
  if (time) out = *time;
  return time.has_value();
}

// `from <time> to <time> step <duration>`
bool take_grid(std::string_view& text, TimeGrid& out) {
  Duration from{0};
  Duration to{0};
  if (!take_time(text, "from", from) || !take_time(text, "to", to) ||
      !take_time(text, "step", out.step)) {
    return false;
  }
  out.start = Timestamp(from);
  out.end = Timestamp(to);
  return out.step.count() > 0 && out.start <= out.end;
}

std::optional<std::string> read_string(std::string_view text) {
  const auto tokens = tokenize(text);
  if (!tokens || tokens->size() != 2 || (*tokens)[0].kind != TokenKind::String) return std::nullopt;
  return (*tokens)[0].string;
}

Result<ExpectedText> read_expected_text(std::string_view text) {
  ExpectedText out;
  if (text.empty()) return out;
  const std::string rest(trim(text.substr(std::min(text.find(':') + 1, text.size()))));
  if (text.starts_with("msg:")) {
    out.exactly = rest;
  } else if (text.starts_with("regex:")) {
    if (!Regex::compile(rest)) return fail(ErrorCode::Parse, "not a regular expression: " + rest);
    out.pattern = rest;
  } else {
    return fail(ErrorCode::Parse, "expected msg: or regex:, not " + std::string(text));
  }
  return out;
}

Result<void> add_note(ExpectedNotes& notes, std::string_view text) {
  auto expected = read_expected_text(text);
  if (!expected) return fail(expected.error());
  if (text.empty()) {
    notes.any = true;
  } else {
    notes.texts.push_back(std::move(*expected));
  }
  return {};
}

// `expect <what> …`
Result<void> read_expect(std::string_view rest, EvalCommand& eval) {
  const std::string_view what = take_word(rest);
  if (what == "ordered") {
    eval.ordered = true;
  } else if (what == "warn") {
    return add_note(eval.warnings, rest);
  } else if (what == "info") {
    return add_note(eval.infos, rest);
  } else if (what == "no_warn") {
    eval.warnings.none = true;
  } else if (what == "no_info") {
    eval.infos.none = true;
  } else if (what == "fail") {
    auto expected = read_expected_text(rest);
    if (!expected) return fail(expected.error());
    eval.fails = true;
    eval.failure = std::move(*expected);
  } else if (what == "string") {
    eval.string = read_string(rest);
    if (!eval.string) return fail(ErrorCode::Parse, "expected a quoted string");
  } else if (what == "range" && take_word(rest) == "vector") {
    eval.range_vector.emplace();
    if (!take_grid(rest, *eval.range_vector)) {
      return fail(ErrorCode::Parse, "expected: expect range vector from <time> to <time> step <d>");
    }
  } else {
    return fail(ErrorCode::Parse, "not an expectation: " + std::string(what));
  }
  return {};
}

Result<void> read_expectation(std::string_view line, EvalCommand& eval) {
  std::string_view rest = line;
  const std::string_view word = take_word(rest);
  if (word == "expect") return read_expect(rest, eval);
  if (word == "expected_fail_message") {
    eval.failure.exactly = std::string(rest);
  } else if (word == "expected_fail_regexp") {
    eval.failure.pattern = std::string(rest);
  } else if (const auto number = parse_number(line)) {
    eval.scalar = *number;
  } else if (auto text = read_string(line)) {
    eval.string = std::move(*text);
  } else {
    auto series = parse_series_notation(line);
    if (!series) return fail(series.error());
    eval.series.push_back(std::move(*series));
  }
  return {};
}

class Reader {
 public:
  explicit Reader(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      lines_.push_back(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  std::vector<Command> read() {
    while (next_ < lines_.size()) {
      std::string_view line = trim(lines_[next_++]);
      if (line.empty() || line.front() == '#') continue;
      const int number = static_cast<int>(next_);
      const std::string_view word = take_word(line);
      if (word == "clear") {
        add(number, ClearCommand{});
      } else if (is_one_of(kLoads, word)) {
        read_load(word, line);
      } else if (is_one_of(kEvals, word)) {
        read_eval(word, line);
      } else {
        add(number, BadLine{"not a command: " + std::string(word)});
      }
    }
    return std::move(commands_);
  }

 private:
  template <class What>
  void add(int line, What what) {
    commands_.push_back({line, std::move(what)});
  }

  // The next line of a block, comments left out; empty at its end, which is an empty line or the
  // next command.
  std::string_view take_block_line() {
    while (next_ < lines_.size()) {
      const std::string_view raw = lines_[next_];
      const std::string_view line = trim(raw);
      const bool indented = !raw.empty() && (raw.front() == ' ' || raw.front() == '\t');
      if (line.empty() || (!indented && is_command(line))) return {};
      ++next_;
      if (line.front() != '#') return line;
    }
    return {};
  }

  void read_load(std::string_view word, std::string_view rest) {
    const int number = static_cast<int>(next_);
    LoadCommand load;
    load.with_custom_buckets = word == "load_with_nhcb";
    const auto step = read_time(rest);
    if (!step) add(number, BadLine{"not a step: " + std::string(rest)});
    load.step = step.value_or(Duration(0));
    for (auto line = take_block_line(); !line.empty(); line = take_block_line()) {
      auto series = parse_series_notation(line);
      if (!series) {
        add(static_cast<int>(next_), BadLine{series.error().message});
        continue;
      }
      std::erase_if(load.series,
                    [&](const SeriesNotation& s) { return s.labels == series->labels; });
      load.series.push_back(std::move(*series));
    }
    if (step) add(number, std::move(load));
  }

  void read_eval(std::string_view word, std::string_view rest) {
    const int number = static_cast<int>(next_);
    EvalCommand eval;
    eval.fails = word == "eval_fail";
    eval.ordered = word == "eval_ordered";
    eval.warnings.any = word == "eval_warn";
    eval.infos.any = word == "eval_info";
    bool good = read_times(rest, eval);
    if (!good) add(number, BadLine{"cannot read when to evaluate"});
    eval.query = rest;
    for (auto line = take_block_line(); !line.empty(); line = take_block_line()) {
      if (auto read = read_expectation(line, eval); !read) {
        add(static_cast<int>(next_), BadLine{read.error().message});
        good = false;
      }
    }
    if (good) add(number, std::move(eval));
  }

  static bool read_times(std::string_view& rest, EvalCommand& eval) {
    const std::string_view kind = take_word(rest);
    eval.is_range = kind == "range";
    if (eval.is_range) return take_grid(rest, eval.times);
    Duration at{0};
    if (kind != "instant") return false;
    if (rest.starts_with("at ") && !take_time(rest, "at", at)) return false;
    eval.times = {Timestamp(at), Timestamp(at), Duration(1)};
    return true;
  }

  std::vector<std::string_view> lines_;
  std::size_t next_ = 0;
  std::vector<Command> commands_;
};

}  // namespace

bool ExpectedText::accepts(std::string_view text) const {
  if (exactly && *exactly != text) return false;
  return !pattern || Regex::search(*pattern, text).value_or(false);
}

std::string ExpectedText::describe() const {
  if (exactly) return *exactly;
  return pattern ? "/" + *pattern + "/" : "any";
}

std::vector<Command> read_script(std::string_view text) { return Reader(text).read(); }

}  // namespace tocsin::promql
