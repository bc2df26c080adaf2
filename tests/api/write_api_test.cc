// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "api/asking.h"

namespace tocsin::api {
namespace {

net::HttpServerResponse post(testing::FakeBackend& b, const std::string& type,
                             const std::string& encoding) {
  auto request = testing::request_of("POST", "/api/v1/write");
  request.body = "bytes";
  if (!type.empty()) request.headers.emplace_back("Content-Type", type);
  if (!encoding.empty()) request.headers.emplace_back("Content-Encoding", encoding);
  return testing::ask(b, request);
}

TEST_CASE("a sender repeats only what may succeed then") {
  testing::FakeBackend b;
  CHECK(post(b, "application/x-protobuf", "snappy").status == 204);
  CHECK(post(b, "", "").status == 204);
  CHECK(b.written == std::vector<std::string>{"bytes", "bytes"});
  b.write_result->too_old = 2;
  b.write_result->appended = 3;
  b.write_result->example = "up 1 at 2";
  const auto refused = post(b, "application/x-protobuf", "snappy");
  CHECK(refused.status == 400);
  CHECK(refused.body == "2 of 5 samples refused: 2 too old; the first: up 1 at 2\n");
  const std::pair<ErrorCode, int> cases[] = {
      {ErrorCode::NotFound, 404}, {ErrorCode::Parse, 400}, {ErrorCode::Limit, 413}};
  for (const auto& [code, status] : cases) {
    b.write_result = fail(code, "because");
    const auto answer = post(b, "application/x-protobuf", "snappy");
    CHECK(answer.status == status);
    CHECK(answer.body == "because\n");
  }
}

TEST_CASE("what is not remote write 1.0 is refused unread") {
  testing::FakeBackend b;
  CHECK(post(b, "application/json", "snappy").status == 415);
  CHECK(post(b, "application/x-protobuf", "gzip").status == 415);
  CHECK(post(b, "application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy").status ==
        415);
  CHECK(post(b, "application/x-protobuf;proto=prometheus.WriteRequest", "snappy").status == 204);
  CHECK(testing::ask(b, "GET", "/api/v1/write").status == 405);
  CHECK(b.written.size() == 1);
}

}  // namespace
}  // namespace tocsin::api
