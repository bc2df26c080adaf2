// SPDX-License-Identifier: Apache-2.0
#include "source/remote_query.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "net/url.h"
#include "promql/histogram_layout.h"
#include "tocsin/sample.h"

namespace tocsin::source {
namespace {

namespace json = boost::json;
using promql::Answer;

constexpr std::size_t kMaxAnswerBytes = std::size_t{512} << 20;
constexpr std::size_t kShownBytes = 200;  // Of an answer that is no JSON.
constexpr double kMostSeconds = 1e12;     // Since 1970; what is beyond is no time.

// Boost.JSON's accessors throw; whatever is missing or of another kind ends up here.
struct NotAnAnswer {
  std::string what;
};

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

const json::value& at(const json::object& object, std::string_view key) {
  const auto it = object.find(json::string_view(key.data(), key.size()));
  if (it == object.end()) throw NotAnAnswer{"no " + std::string(key)};
  return it->value();
}

const json::object& as_object(const json::value& value) {
  if (!value.is_object()) throw NotAnAnswer{"expected an object"};
  return value.get_object();
}

const json::array& as_array(const json::value& value) {
  if (!value.is_array()) throw NotAnAnswer{"expected an array"};
  return value.get_array();
}

std::string_view as_text(const json::value& value) {
  if (!value.is_string()) throw NotAnAnswer{"expected a string"};
  return view(value.get_string());
}

// [time, value]
std::pair<Timestamp, const json::value&> pair_of(const json::value& value) {
  const json::array& pair = as_array(value);
  if (pair.size() != 2 || !pair[0].is_number()) throw NotAnAnswer{"expected [time, value]"};
  const double seconds = pair[0].to_number<double>();
  if (!(std::abs(seconds) <= kMostSeconds)) throw NotAnAnswer{"not a time"};
  return {from_millis(std::llround(seconds * 1000.0)), pair[1]};
}

double number_of(const json::value& value) {
  const std::string_view text = as_text(value);
  const auto number = parse_number(text);
  if (!number) throw NotAnAnswer{"not a number: " + std::string(text)};
  return *number;
}

Sample sample_of(const json::value& value) {
  const auto [time, number] = pair_of(value);
  return {time, number_of(number)};
}

// [rule, lower, upper, count], where the rule says which bounds are included: 0 the upper one, 1
// the lower one, 2 none, 3 both.
promql::BucketRange range_of(const json::value& value) {
  const json::array& parts = as_array(value);
  // Not to an integer: that throws on fractions.
  const double rule =
      parts.size() == 4 && parts[0].is_number() ? parts[0].to_number<double>() : -1.0;
  if (rule != 0 && rule != 1 && rule != 2 && rule != 3) {
    throw NotAnAnswer{"expected [rule, lower, upper, count]"};
  }
  return {number_of(parts[1]), number_of(parts[2]), number_of(parts[3]), rule == 1 || rule == 3,
          rule == 0 || rule == 3};
}

HistogramSample histogram_of(const json::value& value) {
  const auto [time, body] = pair_of(value);
  const json::object& object = as_object(body);
  std::vector<promql::BucketRange> ranges;
  if (object.contains("buckets")) {
    for (const json::value& range : as_array(at(object, "buckets"))) {
      ranges.push_back(range_of(range));
    }
  }
  auto histogram =
      promql::histogram_of(number_of(at(object, "count")), number_of(at(object, "sum")), ranges);
  if (!histogram) throw NotAnAnswer{histogram.error().message};
  return {time, std::make_shared<const Histogram>(std::move(*histogram))};
}

Labels labels_of(const json::value& value) {
  LabelsBuilder builder;
  for (const auto& [name, text] : as_object(value)) {
    builder.set({name.data(), name.size()}, as_text(text));
  }
  return builder.build();
}

promql::Vector vector_of(const json::array& result) {
  promql::Vector out;
  for (const json::value& element : result) {
    const json::object& object = as_object(element);
    Labels labels = labels_of(at(object, "metric"));
    if (object.contains("histogram")) {
      auto [time, histogram] = histogram_of(at(object, "histogram"));
      out.push_back({std::move(labels), {time, 0}, std::move(histogram)});
    } else {
      out.push_back({std::move(labels), sample_of(at(object, "value")), nullptr});
    }
  }
  return out;
}

// The samples behind `key`, each made by `read`; none if it is not there.
template <class T>
std::vector<T> samples_of(const json::object& object, std::string_view key,
                          T (*read)(const json::value&)) {
  std::vector<T> out;
  if (!object.contains(json::string_view(key.data(), key.size()))) return out;
  for (const json::value& sample : as_array(at(object, key))) out.push_back(read(sample));
  return out;
}

promql::Matrix matrix_of(const json::array& result) {
  promql::Matrix out;
  for (const json::value& element : result) {
    const json::object& object = as_object(element);
    out.push_back({labels_of(at(object, "metric")), samples_of(object, "values", sample_of),
                   samples_of(object, "histograms", histogram_of)});
  }
  return out;
}

promql::Value value_of(const json::object& data) {
  const std::string_view type = as_text(at(data, "resultType"));
  const json::value& result = at(data, "result");
  if (type == "vector") return vector_of(as_array(result));
  if (type == "matrix") return matrix_of(as_array(result));
  if (type == "scalar") return sample_of(result);
  if (type != "string") throw NotAnAnswer{"unknown resultType " + std::string(type)};
  const auto [time, text] = pair_of(result);
  return promql::Text{time, std::string(as_text(text))};
}

std::vector<promql::Annotation> annotations_of(const json::object& document, std::string_view key) {
  std::vector<promql::Annotation> out;
  const auto it = document.find(json::string_view(key.data(), key.size()));
  if (it == document.end() || !it->value().is_array()) return out;
  for (const json::value& text : it->value().get_array())
    out.push_back({std::string(as_text(text))});
  return out;
}

ErrorCode code_of(std::string_view error_type, int status) {
  static constexpr std::pair<std::string_view, ErrorCode> kTypes[] = {
      {"bad_data", ErrorCode::InvalidArgument}, {"execution", ErrorCode::Execution},
      {"timeout", ErrorCode::Timeout},          {"canceled", ErrorCode::Canceled},
      {"unavailable", ErrorCode::Unavailable},  {"not_found", ErrorCode::NotFound},
  };
  for (const auto& [name, code] : kTypes) {
    if (name == error_type) return code;
  }
  if (status == 422) return ErrorCode::Execution;
  return status >= 400 && status < 500 && status != 429 ? ErrorCode::InvalidArgument
                                                        : ErrorCode::Unavailable;
}

tl::unexpected<Error> not_json(const net::HttpResponse& response) {
  const std::string status = "HTTP status " + std::to_string(response.status);
  const std::string start =
      response.body.substr(0, response.body.find('\n')).substr(0, kShownBytes);
  const std::string message = start.empty() ? status : status + ": " + start;
  if (response.ok()) return fail(ErrorCode::Parse, "not an answer of a query API: " + message);
  return fail(code_of({}, response.status), message);
}

Result<net::HttpRequest> make_request(const RemoteConfig& config, std::string_view endpoint,
                                      const net::Params& form) {
  net::HttpRequest request{
      .method = "POST",
      .url = net::join_url(config.url, endpoint),
      .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
      .body = net::format_params(form),
      .timeout = config.timeout,
      .max_body_bytes = kMaxAnswerBytes,
  };
  if (auto done = net::introduce(config.client, request); !done) return fail(done.error());
  return request;
}

// `take(document, data)` makes a T of a successful answer; it may throw NotAnAnswer.
template <class T, class Take>
Result<T> read_data(const net::HttpResult& response, Take take) {
  if (!response) return fail(response.error());
  json::error_code error;
  const json::value document =
      json::parse(json::string_view(response->body.data(), response->body.size()), error);
  if (error || !document.is_object()) return not_json(*response);
  try {
    const json::object& object = document.get_object();
    if (as_text(at(object, "status")) != "success") {
      const auto type = object.contains("errorType") ? as_text(at(object, "errorType")) : "";
      return fail(code_of(type, response->status), std::string(as_text(at(object, "error"))));
    }
    return take(object, at(object, "data"));
  } catch (const NotAnAnswer& problem) {
    return fail(ErrorCode::Parse, "not an answer of a query API: " + problem.what);
  }
}

std::string seconds_text(Timestamp at) { return format_value(to_seconds(at)); }

net::Params form_of(const RemoteSearch& search) {
  net::Params form;
  for (const std::string& selector : search.selectors) form.emplace_back("match[]", selector);
  if (search.start) form.emplace_back("start", seconds_text(*search.start));
  if (search.end) form.emplace_back("end", seconds_text(*search.end));
  return form;
}

// The other side should give up before we do, so that it says why.
std::string timeout_text(const RemoteConfig& config) {
  return std::to_string(config.timeout.count()) + "ms";
}

}  // namespace

Result<net::HttpRequest> instant_request(const RemoteConfig& config, std::string_view query,
                                         Timestamp at) {
  return make_request(config, "/api/v1/query",
                      {{"query", std::string(query)},
                       {"time", seconds_text(at)},
                       {"timeout", timeout_text(config)}});
}

Result<net::HttpRequest> range_request(const RemoteConfig& config, std::string_view query,
                                       const RemoteRange& range) {
  return make_request(config, "/api/v1/query_range",
                      {{"query", std::string(query)},
                       {"start", seconds_text(range.start)},
                       {"end", seconds_text(range.end)},
                       {"step", format_value(to_seconds(range.step))},
                       {"timeout", timeout_text(config)}});
}

Result<Answer> read_answer(const net::HttpResult& response) {
  return read_data<Answer>(response, [](const json::object& document, const json::value& data) {
    return Answer{value_of(as_object(data)),
                  {annotations_of(document, "warnings"), annotations_of(document, "infos")}};
  });
}

Result<std::vector<Labels>> read_series(const net::HttpResult& response) {
  return read_data<std::vector<Labels>>(response, [](const json::object&, const json::value& data) {
    std::vector<Labels> out;
    for (const json::value& series : as_array(data)) out.push_back(labels_of(series));
    return out;
  });
}

Result<std::set<std::string>> read_texts(const net::HttpResult& response) {
  using Texts = std::set<std::string>;
  return read_data<Texts>(response, [](const json::object&, const json::value& data) {
    Texts out;
    for (const json::value& text : as_array(data)) out.emplace(as_text(text));
    return out;
  });
}

RemoteQuery RemoteQuery::within(Duration timeout) const {
  RemoteConfig config = config_;
  config.timeout = std::clamp(timeout, Duration(1), config.timeout);
  return RemoteQuery(http_, std::move(config), readers_);
}

void RemoteQuery::instant(std::string_view query, Timestamp at, RemoteCallback done) {
  send<Answer>(instant_request(config_, query, at), read_answer, std::move(done));
}

void RemoteQuery::range(std::string_view query, const RemoteRange& range, RemoteCallback done) {
  send<Answer>(range_request(config_, query, range), read_answer, std::move(done));
}

void RemoteQuery::series(const RemoteSearch& search, RemoteDone<std::vector<Labels>> done) {
  send<std::vector<Labels>>(make_request(config_, "/api/v1/series", form_of(search)), read_series,
                            std::move(done));
}

void RemoteQuery::label_names(const RemoteSearch& search, RemoteDone<std::set<std::string>> done) {
  send<std::set<std::string>>(make_request(config_, "/api/v1/labels", form_of(search)), read_texts,
                              std::move(done));
}

void RemoteQuery::label_values(std::string_view label, const RemoteSearch& search,
                               RemoteDone<std::set<std::string>> done) {
  const std::string path = "/api/v1/label/" + net::url_encode(label) + "/values";
  auto request = make_request(config_, path, form_of(search));
  if (request) {  // The one endpoint that takes no form.
    request->method = "GET";
    request->url += "?" + request->body;
    request->headers.clear();
    request->body.clear();
    if (auto introduced = net::introduce(config_.client, *request); !introduced) {
      request = fail(introduced.error());
    }
  }
  send<std::set<std::string>>(std::move(request), read_texts, std::move(done));
}

template <class T>
void RemoteQuery::send(Result<net::HttpRequest> request, Read<T> read, RemoteDone<T> done) {
  if (!request) return done(fail(request.error()));
  http_.send(std::move(*request),
             [read, readers = readers_, done = std::move(done)](net::HttpResult response) {
               if (!readers.workers) return done(read(response));
               net::run_on(
                   *readers.workers, *readers.loop,
                   [read, response = std::move(response)] { return read(response); }, done);
             });
}

Result<Answer> ask_remote(const RemoteConfig& config, std::string_view query, Timestamp at) {
  const auto request = instant_request(config, query, at);
  if (!request) return fail(request.error());
  return read_answer(net::fetch(*request));
}

Result<Answer> ask_remote(const RemoteConfig& config, std::string_view query,
                          const RemoteRange& range) {
  const auto request = range_request(config, query, range);
  if (!request) return fail(request.error());
  return read_answer(net::fetch(*request));
}

}  // namespace tocsin::source
