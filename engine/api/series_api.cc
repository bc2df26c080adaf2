// SPDX-License-Identifier: Apache-2.0
//
// /api/v1/series, /api/v1/labels and /api/v1/label/<name>/values. `start` and `end` are checked and
// otherwise ignored: the store holds no more than the last minutes.
#include <algorithm>
#include <set>

#include "api/handlers.h"
#include "api/json_writer.h"
#include "api/params.h"

namespace tocsin::api {
namespace {

constexpr std::string_view kTruncated = "results truncated due to limit";
// Matches every series.
constexpr std::string_view kEverything = R"({__name__=~".+"})";

struct Search {
  std::vector<std::string> selectors;
  std::size_t limit = 0;
};

Result<Search> read_search(const Call& call) {
  for (const std::string_view name : {"start", "end"}) {
    if (const auto time = optional_time(call.request, name); !time) return fail(time.error());
  }
  const auto limit = limit_of(call.request);
  if (!limit) return fail(limit.error());
  auto selectors = selectors_of(call.request);
  if (!selectors) return fail(selectors.error());
  return Search{std::move(*selectors), *limit};
}

// Shortens a list to the limit, and says so.
template <class List>
Notes apply_limit(List& list, std::size_t limit) {
  Notes notes;
  if (limit == 0 || list.size() <= limit) return notes;
  list.erase(std::next(list.begin(), static_cast<std::ptrdiff_t>(limit)), list.end());
  notes.warnings.emplace_back(kTruncated);
  return notes;
}

void reply_series(const Call& call, std::vector<Labels> found, std::size_t limit) {
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  const Notes notes = apply_limit(found, limit);
  std::string data;
  JsonWriter json(data);
  json.begin_array();
  for (const Labels& labels : found) json.labels(labels);
  json.end_array();
  reply_data(call, data, notes);
}

void reply_texts(const Call& call, std::set<std::string> texts, std::size_t limit) {
  const Notes notes = apply_limit(texts, limit);
  std::string data;
  JsonWriter json(data);
  json.begin_array();
  for (const std::string& text : texts) json.text(text);
  json.end_array();
  reply_data(call, data, notes);
}

// Puts what `add` takes from each series together into one sorted list.
using Add = std::function<void(const Labels& labels, std::set<std::string>& texts)>;
void reply_collected(const Call& call, Add add) {
  auto search = read_search(call);
  if (!search) return reply_error(call, search.error());
  if (search->selectors.empty()) search->selectors.emplace_back(kEverything);
  call.backend.series(search->selectors, [call, limit = search->limit, add = std::move(add)](
                                             const Result<std::vector<Labels>>& found) {
    if (!found) return reply_error(call, found.error());
    std::set<std::string> texts;
    for (const Labels& labels : *found) add(labels, texts);
    reply_texts(call, std::move(texts), limit);
  });
}

}  // namespace

void series(const Call& call) {
  if (!call.request.has_param("match[]")) {
    return reply_error(call, {ErrorCode::InvalidArgument, "no match[] parameter provided"});
  }
  const auto search = read_search(call);
  if (!search) return reply_error(call, search.error());
  call.backend.series(search->selectors,
                      [call, limit = search->limit](Result<std::vector<Labels>> found) {
                        if (!found) return reply_error(call, found.error());
                        reply_series(call, std::move(*found), limit);
                      });
}

void label_names(const Call& call) {
  reply_collected(call, [](const Labels& labels, std::set<std::string>& texts) {
    for (const LabelView& label : labels) texts.emplace(label.name);
  });
}

void label_values(const Call& call) {
  if (call.argument.empty() || !is_valid_utf8(call.argument)) {
    return reply_error(call, {ErrorCode::InvalidArgument, "invalid label name"});
  }
  reply_collected(call, [name = call.argument](const Labels& labels, std::set<std::string>& texts) {
    if (labels.has(name)) texts.emplace(labels.get(name));
  });
}

}  // namespace tocsin::api
