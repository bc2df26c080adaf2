// SPDX-License-Identifier: Apache-2.0
#include "simulate/mesh_server.h"

#include <boost/json.hpp>

#include "base/file.h"
#include "base/log.h"
#include "tocsin/duration.h"

namespace tocsin::simulate {
namespace json = boost::json;
namespace {

// Mesh time between two looks at whether pods came or went.
constexpr Duration kLook = std::chrono::seconds(5);

json::object fault_json(const FaultConfig& fault, Timestamp mesh_start) {
  json::object out;
  out["fault"] = name_of(fault.kind);
  for (const auto& [name, text] :
       {std::pair("workload", &fault.workload), std::pair("from", &fault.from),
        std::pair("route", &fault.route), std::pair("component", &fault.component)}) {
    if (!text->empty()) out[name] = *text;
  }
  out["start"] = format_rfc3339(mesh_start + fault.start);
  out["end"] = format_rfc3339(mesh_start + fault.end);
  return out;
}

std::string faults_json(const Mesh& mesh) {
  json::array active;
  for (const FaultConfig* fault : mesh.active_faults()) {
    active.push_back(fault_json(*fault, mesh.start()));
  }
  json::object out;
  out["now"] = format_rfc3339(mesh.now());
  out["active"] = std::move(active);
  return json::serialize(out);
}

net::HttpServerResponse in_json(std::string body) {
  return {.content_type = "application/json", .body = std::move(body), .headers = {}};
}

net::HttpServerResponse not_served(int status, std::string why) {
  return {.status = status, .body = std::move(why), .headers = {}};
}

}  // namespace

Result<std::unique_ptr<MeshServer>> MeshServer::open(net::Loop& loop, const Clock& clock,
                                                     MeshConfig config, MeshServerOptions options) {
  std::unique_ptr<MeshServer> server(
      new MeshServer(loop, clock, std::move(config), std::move(options.sd_file)));
  net::HttpServerOptions http;
  http.listen = std::move(options.listen);
  http.max_connections = 16384;  // A scraper keeps one for each target.
  http.max_connections_of_address = http.max_connections;
  MeshServer* self = server.get();
  auto opened = net::HttpServer::listen(
      loop, std::move(http),
      [self](const net::HttpServerRequest& request, const net::Responder& respond) {
        respond(self->answer(request));
      });
  if (!opened) return fail(opened.error());
  server->http_ = std::move(*opened);
  if (!server->sd_file_.empty()) {
    if (const auto written = server->write_sd_file(); !written) return fail(written.error());
    server->keep_sd_file();
  }
  return server;
}

MeshServer::MeshServer(net::Loop& loop, const Clock& clock, MeshConfig config, std::string sd_file)
    : loop_(loop),
      clock_(clock),
      sd_file_(std::move(sd_file)),
      mesh_(std::move(config), clock.now()) {}

MeshServer::~MeshServer() { loop_.cancel(timer_); }

std::string MeshServer::targets() const {
  json::array out;
  for (const Endpoint& endpoint : mesh_.endpoints()) {
    json::object labels;
    labels["__metrics_path__"] = endpoint.path;
    for (const LabelView& label : endpoint.labels) labels[label.name] = label.value;
    json::object target;
    target["targets"] = json::array{address()};
    target["labels"] = std::move(labels);
    out.push_back(std::move(target));
  }
  return json::serialize(out);
}

net::HttpServerResponse MeshServer::answer(const net::HttpServerRequest& request) {
  mesh_.advance(clock_.now());
  if (request.method != "GET") return not_served(405, "only GET\n");
  if (request.path == "/sd") return in_json(targets());
  if (request.path == "/faults") return in_json(faults_json(mesh_));
  if (request.path == "/") return not_served(200, "a simulated mesh: /sd, /faults\n");
  return page(request.path);
}

net::HttpServerResponse MeshServer::page(const std::string& path) {
  std::string body;
  switch (mesh_.render(path, body)) {
    case Mesh::Answer::Page:
      return {.content_type = "text/plain", .body = std::move(body), .headers = {}};
    case Mesh::Answer::Unreachable:
      return not_served(503, "unreachable\n");
    case Mesh::Answer::Unknown:
      break;
  }
  return not_served(404, "no such page\n");
}

Result<void> MeshServer::write_sd_file() {
  written_generation_ = mesh_.generation();
  return write_file(sd_file_, targets());
}

// Looks again every few seconds, and writes when something changed.
void MeshServer::keep_sd_file() {
  timer_ = loop_.after(kLook, [this] {
    mesh_.advance(clock_.now());
    if (written_generation_ != mesh_.generation() || sd_file_fails_) {
      const auto written = write_sd_file();
      if (!written && !sd_file_fails_) {
        log::error("the targets cannot be written", {{"error", written.error().message}});
      }
      sd_file_fails_ = !written;
    }
    keep_sd_file();
  });
}

}  // namespace tocsin::simulate
