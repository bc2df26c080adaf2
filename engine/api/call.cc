// SPDX-License-Identifier: Apache-2.0
#include "api/call.h"

#include "api/json_writer.h"

namespace tocsin::api {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::size_t kMaxNotes = 10;  // Of a kind, in one answer.

std::vector<std::string> texts_of(const std::vector<promql::Annotation>& annotations,
                                  std::string_view query, std::string_view kind) {
  std::vector<std::string> out;
  for (const promql::Annotation& annotation : annotations) {
    if (out.size() == kMaxNotes) {
      out.push_back(std::to_string(annotations.size() - kMaxNotes) + " more " + std::string(kind) +
                    " annotations omitted");
      break;
    }
    out.push_back(promql::text_of(annotation, query));
  }
  return out;
}

void add_list(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  json.key(key).begin_array();
  for (const std::string& text : texts) json.text(text);
  json.end_array();
}

void reply_json(const Call& call, int status, std::string body) {
  call.respond({.status = status,
                .content_type = std::string(kJson),
                .body = std::move(body),
                .headers = {}});
}

}  // namespace

ErrorKind kind_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument:
    case ErrorCode::Parse:
      return {400, "bad_data"};
    case ErrorCode::Execution:
    case ErrorCode::Limit:
      return {422, "execution"};
    case ErrorCode::NotFound:
      return {404, "not_found"};
    case ErrorCode::Timeout:
      return {503, "timeout"};
    case ErrorCode::Canceled:
      return {499, "canceled"};
    case ErrorCode::Unavailable:
      return {503, "unavailable"};
    case ErrorCode::Io:
      break;
  }
  return {500, "internal"};
}

Notes notes_of(const promql::Annotations& annotations, std::string_view query) {
  return {texts_of(annotations.warnings, query, "warning"),
          texts_of(annotations.infos, query, "info")};
}

void reply_data(const Call& call, std::string_view data, const Notes& notes) {
  std::string body;
  body.reserve(data.size() + 64);
  JsonWriter json(body);
  json.begin_object().key("status").text("success").key("data").raw(data);
  add_list(json, "warnings", notes.warnings);
  add_list(json, "infos", notes.infos);
  json.end_object();
  reply_json(call, 200, std::move(body));
}

void reply_error(const Call& call, const Error& error) {
  const ErrorKind kind = kind_of(error.code);
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("status").text("error").key("errorType").text(kind.type);
  json.key("error").text(error.message).end_object();
  reply_json(call, kind.status, std::move(body));
}

void reply_text(const Call& call, int status, std::string body) {
  call.respond({.status = status,
                .content_type = "text/plain; charset=utf-8",
                .body = std::move(body),
                .headers = {{"X-Content-Type-Options", "nosniff"}}});
}

}  // namespace tocsin::api
