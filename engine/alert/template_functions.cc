// SPDX-License-Identifier: Apache-2.0
//
// The functions of templates: Prometheus' (template/template.go) and Go's own.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "alert/go_format.h"
#include "alert/message_template.h"
#include "alert/template_tree.h"
#include "base/replaced.h"
#include "tocsin/duration.h"
#include "tocsin/matcher.h"
#include "tocsin/sample.h"

namespace tocsin::alert {
namespace {

using Value = Result<TemplateValue>;
using Context = TemplateContext;

tl::unexpected<Error> wrong(std::string message) {
  return fail(ErrorCode::Execution, std::move(message));
}

std::string arg_text(const ValueList& args, std::size_t i) {
  return i < args.size() ? text_of(args[i]) : std::string();
}

// ---- Numbers for people.

std::string four_digits(double v) { return go_float(v, 'g', 4); }

// "1.235k": the number below a thousand and the prefix that makes it so.
std::string with_prefix(double v, double base, const char* const* up, int up_count) {
  int step = 0;
  while (step < up_count && std::abs(v) >= base) {
    v /= base;
    ++step;
  }
  return four_digits(v) + (step == 0 ? "" : up[step - 1]);
}

std::string small_with_prefix(double v) {
  static constexpr const char* kDown[] = {"m", "u", "n", "p", "f", "a", "z", "y"};
  int step = 0;
  while (step < 8 && std::abs(v) < 1) {
    v *= 1000;
    ++step;
  }
  return four_digits(v) + (step == 0 ? "" : kDown[step - 1]);
}

std::string humanize_text(double v) {
  static constexpr const char* kUp[] = {"k", "M", "G", "T", "P", "E", "Z", "Y"};
  if (v == 0 || !std::isfinite(v)) return four_digits(v);
  return std::abs(v) >= 1 ? with_prefix(v, 1000, kUp, 8) : small_with_prefix(v);
}

std::string humanize1024_text(double v) {
  static constexpr const char* kUp[] = {"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"};
  if (std::abs(v) <= 1 || !std::isfinite(v)) return four_digits(v);
  return with_prefix(v, 1024, kUp, 8);
}

std::string humanize_duration_text(double v) {
  if (!std::isfinite(v)) return four_digits(v);
  if (v == 0) return "0s";
  if (std::abs(v) < 1) return small_with_prefix(v) + "s";
  const std::string sign = v < 0 ? "-" : "";
  const double whole = std::abs(v);
  const auto total = static_cast<std::int64_t>(whole);
  const std::string s = std::to_string(total % 60) + "s";
  const std::string m = std::to_string(total / 60 % 60) + "m ";
  const std::string h = std::to_string(total / 3600 % 24) + "h ";
  if (total >= 86'400) return sign + std::to_string(total / 86'400) + "d " + h + m + s;
  if (total >= 3600) return sign + h + m + s;
  if (total >= 60) return sign + m + s;
  return sign + four_digits(whole) + "s";
}

std::string timestamp_text(double v) {
  if (!std::isfinite(v) || std::abs(v) > 1e12) return four_digits(v);
  // "2026-11-22T17:42:00.500Z" → "2026-11-22 17:42:00.5 +0000 UTC", as Go prints a time.
  std::string text = format_rfc3339(from_millis(std::llround(v * 1000)));
  text.pop_back();
  text[10] = ' ';
  while (text.back() == '0' && text.find('.') != std::string::npos) text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text + " +0000 UTC";
}

template <std::string (*Text)(double)>
Value number_to_text(const Context&, const ValueList& args) {
  if (args.size() != 1) return wrong("wants one number");
  const auto number = number_of(args[0]);
  if (!number) return fail(number.error());
  return TemplateValue(Text(*number));
}

std::string percentage_text(double v) { return four_digits(v * 100) + "%"; }

// ---- Texts.

template <class Change>
std::string change_chars(std::string text, Change change) {
  for (char& c : text) c = change(c);
  return text;
}
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

Value to_upper(const Context&, const ValueList& a) {
  return TemplateValue(change_chars(arg_text(a, 0), upper));
}
Value to_lower(const Context&, const ValueList& a) {
  return TemplateValue(change_chars(arg_text(a, 0), lower));
}

Value title(const Context&, const ValueList& a) {
  char before = ' ';
  return TemplateValue(change_chars(arg_text(a, 0), [&](char c) {
    const bool starts = !std::isalnum(static_cast<unsigned char>(before)) && before != '_';
    before = c;
    return starts ? upper(c) : c;
  }));
}

Value match(const Context&, const ValueList& a) {
  const auto found = Regex::search(arg_text(a, 0), arg_text(a, 1));
  if (!found) return fail(found.error());
  return TemplateValue(*found);
}

Value re_replace_all(const Context&, const ValueList& a) {
  const auto text = Regex::replace_all(arg_text(a, 0), arg_text(a, 2), arg_text(a, 1));
  if (!text) return fail(text.error());
  return TemplateValue(*text);
}

Value strip_port(const Context&, const ValueList& a) {
  const std::string text = arg_text(a, 0);
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return TemplateValue(text);
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    return TemplateValue(host.substr(1, host.size() - 2));
  }
  return TemplateValue(host.find(':') == std::string::npos ? host : text);
}

Value strip_domain(const Context&, const ValueList& a) {
  const std::string text = arg_text(a, 0);
  const std::size_t colon = text.find(':');
  const std::string host = text.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : text.substr(colon);
  const bool address = host.find_first_not_of("0123456789.") == std::string::npos;
  return TemplateValue(address ? text : host.substr(0, host.find('.')) + port);
}

std::string percent_encode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view("-_.~").find(c) != std::string_view::npos) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

Value url_query(const Context&, const ValueList& a) {
  return TemplateValue(percent_encode(arg_text(a, 0)));
}

Value same_text(const Context&, const ValueList& a) { return TemplateValue(arg_text(a, 0)); }

Value html(const Context&, const ValueList& a) {
  return TemplateValue(
      replaced(arg_text(a, 0),
               {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&#34;"}, {'\'', "&#39;"}}));
}

Value js(const Context&, const ValueList& a) {
  return TemplateValue(replaced(arg_text(a, 0), {{'\\', "\\\\"},
                                                 {'\'', "\\'"},
                                                 {'"', "\\\""},
                                                 {'\n', "\\n"},
                                                 {'<', "\\u003C"},
                                                 {'>', "\\u003E"}}));
}

// ---- Queries and what they return.

Value query(const Context& context, const ValueList& a) {
  if (!context.data.query) return wrong("queries are not possible here");
  const auto vector = context.data.query(arg_text(a, 0));
  if (!vector) return fail(vector.error());
  ValueList out;
  for (const promql::Element& element : *vector) {
    out.emplace_back(QuerySample{to_map(element.labels), element.sample.value});
  }
  return make_list(std::move(out));
}

Value first(const Context&, const ValueList& a) {
  const ValueList* list = a.empty() ? nullptr : a[0].list();
  if (!list || list->empty()) return wrong("first() called on vector with no elements");
  return list->front();
}

Value label(const Context&, const ValueList& a) {
  const auto* sample = a.size() < 2 ? nullptr : a[1].as<QuerySample>();
  if (!sample) return wrong("wants a label and a sample");
  const auto it = sample->labels.find(arg_text(a, 0));
  return TemplateValue(it == sample->labels.end() ? std::string() : it->second);
}

Value value(const Context&, const ValueList& a) {
  const auto* sample = a.empty() ? nullptr : a[0].as<QuerySample>();
  if (!sample) return wrong("wants a sample");
  return TemplateValue(sample->value);
}

Value strvalue(const Context&, const ValueList& a) {
  const auto* sample = a.empty() ? nullptr : a[0].as<QuerySample>();
  if (!sample) return wrong("wants a sample");
  const auto it = sample->labels.find("__value__");
  return TemplateValue(it == sample->labels.end() ? std::string() : it->second);
}

Value sort_by_label(const Context&, const ValueList& a) {
  const ValueList* list = a.size() < 2 ? nullptr : a[1].list();
  if (!list) return wrong("wants a label and a query's result");
  const std::string name = arg_text(a, 0);
  ValueList sorted = *list;
  const auto key = [&](const TemplateValue& item) {
    const auto* sample = item.as<QuerySample>();
    if (!sample) return std::string();
    const auto it = sample->labels.find(name);
    return it == sample->labels.end() ? std::string() : it->second;
  };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const auto& x, const auto& y) { return key(x) < key(y); });
  return make_list(std::move(sorted));
}

Value args(const Context&, const ValueList& a) {
  ValueMap map;
  for (std::size_t i = 0; i < a.size(); ++i) map.emplace("arg" + std::to_string(i), a[i]);
  return make_map(std::move(map));
}

Value to_json(const Context&, const ValueList& a) {
  if (a.size() != 1) return wrong("wants one argument");
  return TemplateValue(json_of(a[0]));
}

// ---- Time and links.

Value parse_duration_seconds(const Context&, const ValueList& a) {
  const auto duration = parse_duration(arg_text(a, 0));
  if (!duration) return wrong("not a valid duration string: " + quote(arg_text(a, 0)));
  return TemplateValue(to_seconds(*duration));
}

Value to_duration(const Context&, const ValueList& a) {
  const auto number = a.empty() ? Result<double>(0.0) : number_of(a[0]);
  if (!number) return fail(number.error());
  return TemplateValue(format_duration(Duration(std::llround(*number * 1000))));
}

Value now(const Context& context, const ValueList&) {
  return TemplateValue(to_seconds(context.data.at));
}

Value external_url(const Context& context, const ValueList&) {
  return TemplateValue(context.data.external_url);
}

Value path_prefix(const Context& context, const ValueList&) {
  const std::string& url = context.data.external_url;
  const std::size_t host = url.find("://");
  const std::size_t path = url.find('/', host == std::string::npos ? 0 : host + 3);
  return TemplateValue(path == std::string::npos ? std::string() : url.substr(path));
}

template <char Tab>
Value graph_link(const Context&, const ValueList& a) {
  return TemplateValue("/graph?g0.expr=" + percent_encode(arg_text(a, 0)) + "&g0.tab=" + Tab);
}

// ---- Go's own.

Value logical_and(const Context&, const ValueList& a) {
  for (const TemplateValue& v : a) {
    if (!is_true(v)) return v;
  }
  return a.empty() ? TemplateValue() : a.back();
}
Value logical_or(const Context&, const ValueList& a) {
  for (const TemplateValue& v : a) {
    if (is_true(v)) return v;
  }
  return a.empty() ? TemplateValue() : a.back();
}
Value logical_not(const Context&, const ValueList& a) {
  return TemplateValue(a.empty() || !is_true(a[0]));
}

Value len(const Context&, const ValueList& a) {
  if (a.size() != 1) return wrong("wants one argument");
  std::size_t size = text_of(a[0]).size();
  if (const ValueList* list = a[0].list()) size = list->size();
  if (const auto* labels = a[0].as<StringMap>()) size = labels->size();
  return TemplateValue(static_cast<std::int64_t>(size));
}

Value index(const Context&, const ValueList& a) {
  if (a.empty()) return wrong("wants an argument");
  TemplateValue at = a[0];
  for (std::size_t i = 1; i < a.size(); ++i) {
    if (const ValueList* list = at.list()) {
      const auto* n = a[i].as<std::int64_t>();
      if (!n || *n < 0 || static_cast<std::size_t>(*n) >= list->size()) {
        return wrong("index out of range: " + text_of(a[i]));
      }
      at = TemplateValue((*list)[static_cast<std::size_t>(*n)]);
      continue;
    }
    auto next = field_of(at, text_of(a[i]));
    if (!next) return next;
    at = std::move(*next);
  }
  return at;
}

Value slice(const Context&, const ValueList& a) {
  const std::string text = arg_text(a, 0);
  const auto bound = [&](std::size_t i, std::size_t otherwise) {
    const auto* n = i < a.size() ? a[i].as<std::int64_t>() : nullptr;
    return n && *n >= 0 ? static_cast<std::size_t>(*n) : otherwise;
  };
  const std::size_t from = bound(1, 0);
  const std::size_t to = bound(2, text.size());
  if (from > to || to > text.size()) return wrong("index out of range");
  return TemplateValue(text.substr(from, to - from));
}

Value print(const Context&, const ValueList& a) {
  std::string out;
  for (std::size_t i = 0; i < a.size(); ++i) {
    // Go puts a space between two operands when neither is a string.
    const bool space = i > 0 && !a[i].as<std::string>() && !a[i - 1].as<std::string>();
    out += (space ? " " : "") + text_of(a[i]);
  }
  return TemplateValue(out);
}

Value println(const Context&, const ValueList& a) {
  std::string out;
  for (const TemplateValue& v : a) out += (out.empty() ? "" : " ") + text_of(v);
  return TemplateValue(out + "\n");
}

Value printf(const Context&, const ValueList& a) { return TemplateValue(go_printf(a)); }

// -1, 0 or 1; fails on values that have no order.
Result<int> compare(const ValueList& a) {
  if (a.size() < 2) return wrong("wants two arguments");
  const bool texts = a[0].as<std::string>() && a[1].as<std::string>();
  const bool bools = a[0].as<bool>() && a[1].as<bool>();
  if (texts || bools) {
    const int order = text_of(a[0]).compare(text_of(a[1]));
    return (order > 0) - (order < 0);
  }
  if (a[0].as<std::string>() || a[1].as<std::string>()) {
    return wrong("incompatible types for comparison");
  }
  const auto x = number_of(a[0]);
  const auto y = number_of(a[1]);
  if (!x || !y) return wrong("incompatible types for comparison");
  return (*x > *y) - (*x < *y);
}

Value eq(const Context&, const ValueList& a) {
  for (std::size_t i = 1; i < a.size(); ++i) {
    const auto order = compare({a[0], a[i]});
    if (!order) return fail(order.error());
    if (*order == 0) return TemplateValue(true);
  }
  return TemplateValue(false);
}

template <bool (*Test)(int)>
Value ordered(const Context&, const ValueList& a) {
  const auto order = compare(a);
  if (!order) return fail(order.error());
  return TemplateValue(Test(*order));
}
bool differs(int order) { return order != 0; }
bool less(int order) { return order < 0; }
bool at_most(int order) { return order <= 0; }
bool greater(int order) { return order > 0; }
bool at_least(int order) { return order >= 0; }

struct Entry {
  std::string_view name;
  TemplateFunction function;
};
constexpr Entry kFunctions[] = {
    {"and", logical_and},
    {"args", args},
    {"eq", eq},
    {"externalURL", external_url},
    {"first", first},
    {"ge", ordered<at_least>},
    {"graphLink", graph_link<'0'>},
    {"gt", ordered<greater>},
    {"html", html},
    {"humanize", number_to_text<humanize_text>},
    {"humanize1024", number_to_text<humanize1024_text>},
    {"humanizeDuration", number_to_text<humanize_duration_text>},
    {"humanizePercentage", number_to_text<percentage_text>},
    {"humanizeTimestamp", number_to_text<timestamp_text>},
    {"index", index},
    {"js", js},
    {"label", label},
    {"le", ordered<at_most>},
    {"len", len},
    {"lt", ordered<less>},
    {"match", match},
    {"ne", ordered<differs>},
    {"not", logical_not},
    {"now", now},
    {"or", logical_or},
    {"parseDuration", parse_duration_seconds},
    {"pathPrefix", path_prefix},
    {"print", print},
    {"printf", printf},
    {"println", println},
    {"query", query},
    {"reReplaceAll", re_replace_all},
    {"safeHtml", same_text},
    {"slice", slice},
    {"sortByLabel", sort_by_label},
    {"stripDomain", strip_domain},
    {"stripPort", strip_port},
    {"strvalue", strvalue},
    {"tableLink", graph_link<'1'>},
    {"title", title},
    {"toDuration", to_duration},
    {"toJson", to_json},
    {"toLower", to_lower},
    {"toTime", number_to_text<timestamp_text>},
    {"toUpper", to_upper},
    {"urlQueryEscape", url_query},
    {"urlquery", url_query},
    {"value", value},
};

}  // namespace

TemplateFunction find_template_function(std::string_view name) {
  const auto* at = std::lower_bound(std::begin(kFunctions), std::end(kFunctions), name,
                                    [](const Entry& e, std::string_view n) { return e.name < n; });
  return at != std::end(kFunctions) && at->name == name ? at->function : nullptr;
}

}  // namespace tocsin::alert
