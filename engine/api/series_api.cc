// SPDX-License-Identifier: Apache-2.0
//
// /api/v1/series, /api/v1/labels and /api/v1/label/<name>/values.
#include <algorithm>

#include "api/handlers.h"
#include "api/json_writer.h"
#include "api/params.h"

namespace tocsin::api {
namespace {

constexpr std::string_view kTruncated = "results truncated due to limit";

struct Search {
  SeriesRequest what;
  std::size_t limit = 0;
};

Result<Search> read_search(const Call& call) {
  const auto start = optional_time(call.request, "start");
  if (!start) return fail(start.error());
  const auto end = optional_time(call.request, "end");
  if (!end) return fail(end.error());
  const auto limit = limit_of(call.request);
  if (!limit) return fail(limit.error());
  auto selectors = selectors_of(call.request);
  if (!selectors) return fail(selectors.error());
  return Search{{std::move(*selectors), *start, *end}, *limit};
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

void reply_texts(const Call& call, Texts texts, std::size_t limit) {
  const Notes notes = apply_limit(texts, limit);
  std::string data;
  JsonWriter json(data);
  json.begin_array();
  for (const std::string& text : texts) json.text(text);
  json.end_array();
  reply_data(call, data, notes);
}

TextsCallback reply_with(const Call& call, std::size_t limit) {
  return [call, limit](Result<Texts> found) {
    if (!found) return reply_error(call, found.error());
    reply_texts(call, std::move(*found), limit);
  };
}

}  // namespace

void series(const Call& call) {
  if (!call.request.has_param("match[]")) {
    return reply_error(call, {ErrorCode::InvalidArgument, "no match[] parameter provided"});
  }
  const auto search = read_search(call);
  if (!search) return reply_error(call, search.error());
  call.backend.series(search->what,
                      [call, limit = search->limit](Result<std::vector<Labels>> found) {
                        if (!found) return reply_error(call, found.error());
                        reply_series(call, std::move(*found), limit);
                      });
}

void label_names(const Call& call) {
  const auto search = read_search(call);
  if (!search) return reply_error(call, search.error());
  call.backend.label_names(search->what, reply_with(call, search->limit));
}

void label_values(const Call& call) {
  if (call.argument.empty() || !is_valid_utf8(call.argument)) {
    return reply_error(call, {ErrorCode::InvalidArgument, "invalid label name"});
  }
  const auto search = read_search(call);
  if (!search) return reply_error(call, search.error());
  call.backend.label_values(call.argument, search->what, reply_with(call, search->limit));
}

}  // namespace tocsin::api
